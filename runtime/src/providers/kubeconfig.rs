//! The contexts of kubeconfigs in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use kube::Config;

use super::Provider;
use super::contexts::{Marks, is_as_before, read};
use crate::Result;
use crate::fleet::{Cluster, Fleet, Reason};

/// How often it is looked.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

/// At how many looks one after the other a file that is written all the time lacks a context that it has lost: nobody takes so
/// long to write one.
const DOUBTS: u32 = 3;

/// Every context of a kubeconfig, or of all the kubeconfigs in a folder, as a cluster that is called like the context.
///
/// The files are looked at every five seconds. Contexts that come are engaged, and those that go are disengaged. What
/// changes changes the connection, and costs no key and no event, also where it is in a file that the kubeconfig names:
/// certificates, keys and tokens. A file that cannot be read leaves its clusters as they are, and so does a context that
/// leads nowhere with its own, which is said once. What a file has lost it may only have lost while it is written: it is
/// disengaged where the file is the same when it is looked at next, or lacks something for the third time.
///
/// Names of contexts that are no DNS labels are left out, unless they are [`renamed`](Provider::renamed).
///
/// ```
/// # use kommodore::{Kubeconfig, Provider};
/// let clusters = Kubeconfig::new("/etc/clusters").renamed(|context| context.replace(['@', '.', '_'], "-"));
/// ```
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    path: PathBuf,
    interval: Duration,
}

impl Kubeconfig {
    /// Those of a file, or of all files of a folder. Files in its folders, and those whose names begin with a dot, are left
    /// out.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            interval: INTERVAL,
        }
    }

    /// How often it is looked whether something has changed; 5 s by default.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
}

impl Provider for Kubeconfig {
    fn name(&self) -> &str {
        "kubeconfig"
    }

    fn run(self: Box<Self>, _: Cluster, _: Config, fleet: Fleet) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let mut known = Known::default();
            let mut named_all = false;
            loop {
                let path = self.path.clone();
                let (back, looked) = tokio::task::spawn_blocking(move || {
                    let mut known = known;
                    let looked = known.look(&path);
                    (known, looked)
                })
                .await?;
                known = back;
                for news in looked {
                    news.tell(&fleet);
                }
                if !named_all && known.is_complete() {
                    named_all = true;
                    fleet.named_all();
                }
                tokio::time::sleep(self.interval).await;
            }
        })
    }
}

/// What is known of the files.
#[derive(Default)]
struct Known {
    files: BTreeMap<PathBuf, File>,
    /// What could not be read, and why.
    failed: BTreeMap<PathBuf, String>,
}

/// A file as it was read.
#[derive(Default)]
struct File {
    contexts: BTreeSet<String>,
    marks: Marks,
    /// Contexts that lead nowhere, and why.
    failed: BTreeMap<String, String>,
    /// How it was when it had lost some of its contexts, which is not believed at once, and at how many looks it had.
    doubted: Option<(Marks, u32)>,
}

/// What is to be told of a context.
struct News {
    file: PathBuf,
    context: String,
    config: Option<Box<Config>>,
}

impl News {
    fn tell(self, fleet: &Fleet) {
        let place = format!("{}: {}", self.file.display(), self.context);
        let fleet = fleet.found_in(&place);
        match self.config {
            Some(config) => fleet.engage(self.context, *config),
            None => fleet.disengage(self.context, Reason::Deselected),
        }
    }
}

impl Known {
    /// Looks what there is.
    fn look(&mut self, path: &Path) -> Vec<News> {
        let files = match files_of(path) {
            Ok(files) => files,
            Err(error) => {
                self.fail(path, &error.to_string());
                return Vec::new();
            }
        };
        self.failed.remove(path);
        let mut news = Vec::new();
        for file in &files {
            self.look_at(file, &mut news);
        }
        let is_gone = |file: &&PathBuf| !files.contains(*file);
        let gone: Vec<PathBuf> = self.files.keys().filter(is_gone).cloned().collect();
        for file in gone {
            let contexts = self.files.remove(&file).unwrap_or_default().contexts;
            news.extend(contexts.into_iter().map(|context| News {
                file: file.clone(),
                context,
                config: None,
            }));
        }
        self.failed
            .retain(|failed, _| failed == path || files.contains(failed));
        news
    }

    fn look_at(&mut self, path: &Path, news: &mut Vec<News>) {
        let known = self.files.get(path);
        let is_known = |file: &File| file.failed.is_empty() && is_as_before(&file.marks);
        if known.is_some_and(is_known) && !self.failed.contains_key(path) {
            return;
        }
        let (marks, configs) = match read(path) {
            Ok(read) => read,
            Err(error) => return self.fail(path, &format!("{error:#}")),
        };
        self.failed.remove(path);
        let file = self.files.entry(path.to_owned()).or_default();
        let of = |context: &String, config| News {
            file: path.to_owned(),
            context: context.clone(),
            config,
        };
        let is_gone = |context: &&String| !configs.contains_key(*context);
        let gone: Vec<String> = file.contexts.iter().filter(is_gone).cloned().collect();
        if !gone.is_empty() {
            let looks = match file.doubted.take() {
                Some((doubted, _)) if doubted == marks => DOUBTS,
                Some((_, looks)) => looks + 1,
                None => 1,
            };
            if looks < DOUBTS {
                file.doubted = Some((marks, looks));
                return;
            }
        }
        file.doubted = None;
        // Those that go first: another file may have one of that name.
        for context in gone {
            news.push(of(&context, None));
            file.contexts.remove(&context);
        }
        let is_new = marks != file.marks;
        let mut failed = BTreeMap::new();
        for (context, config) in configs {
            match config {
                Ok(config) => {
                    if is_new || file.failed.contains_key(&context) {
                        news.push(of(&context, Some(Box::new(config))));
                    }
                    file.contexts.insert(context);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if file.failed.get(&context) != Some(&error) {
                        tracing::warn!(file = %path.display(), context, error, "the context leads nowhere; its cluster stays as it is");
                    }
                    failed.insert(context, error);
                }
            }
        }
        file.failed = failed;
        file.marks = marks;
    }

    /// Whether all that there is has been read.
    fn is_complete(&self) -> bool {
        let mut files = self.files.values();
        self.failed.is_empty() && files.all(|file| file.failed.is_empty())
    }

    fn fail(&mut self, path: &Path, error: &str) {
        let said = self.failed.insert(path.to_owned(), error.to_owned());
        if said.as_deref() != Some(error) {
            tracing::warn!(file = %path.display(), error, "cannot read the kubeconfig; its clusters stay as they are");
        }
    }
}

fn files_of(path: &Path) -> io::Result<BTreeSet<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // Through links, which is how a Secret is mounted. What has gone since is gone.
        let is_file = || fs::metadata(entry.path()).is_ok_and(|meta| meta.is_file());
        if !is_hidden && is_file() {
            files.insert(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("kommodore-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const BY_CERTIFICATE: &str = "{apiVersion: v1, kind: Config, \
         clusters: [{name: c, cluster: {server: 'https://red.example.com'}}], \
         users: [{name: u, user: {client-certificate: cert, client-key: key}}], \
         contexts: [{name: red, context: {cluster: c, user: u}}]}";

    /// What is told, in words.
    fn look(known: &mut Known, path: &Path) -> Vec<String> {
        let news = known.look(path).into_iter();
        let in_words = |news: News| match news.config {
            Some(config) => {
                let certificate = config.auth_info.client_certificate_data.unwrap_or_default();
                format!("{} {certificate}", news.context)
            }
            None => format!("{} is gone", news.context),
        };
        news.map(in_words).collect()
    }

    #[test]
    fn a_certificate_in_a_file_of_its_own_is_followed() {
        let folder = Folder::new("certificate");
        folder.write("key", "key");
        folder.write("cert", "first");
        let path = folder.write("config", BY_CERTIFICATE);
        let mut known = Known::default();
        assert_eq!(look(&mut known, &path), ["red Zmlyc3Q="]);
        assert_eq!(look(&mut known, &path), [""; 0]);
        folder.write("cert", "the second");
        assert_eq!(look(&mut known, &path), ["red dGhlIHNlY29uZA=="]);
        // It is away for a moment, as is the file itself.
        fs::remove_file(folder.0.join("cert")).unwrap();
        assert_eq!(look(&mut known, &path), [""; 0]);
        fs::remove_file(&path).unwrap();
        assert_eq!(look(&mut known, &path), [""; 0]);
        folder.write("cert", "third");
        folder.write("config", BY_CERTIFICATE);
        assert_eq!(look(&mut known, &path), ["red dGhpcmQ="]);
    }

    #[test]
    fn a_folder_is_read_as_a_secret_is_mounted() {
        let folder = Folder::new("mounted");
        let red = BY_CERTIFICATE.replace("client-certificate: cert, client-key: key", "token: t");
        for version in ["..one", "..two"] {
            fs::create_dir(folder.0.join(version)).unwrap();
        }
        folder.write("..one/red", &red);
        folder.write("..two/blue", &red.replace("name: red", "name: blue"));
        symlink("..one", folder.0.join("..data")).unwrap();
        symlink("..data/red", folder.0.join("red")).unwrap();
        let mut known = Known::default();
        assert_eq!(look(&mut known, &folder.0), ["red "]);
        fs::remove_file(folder.0.join("..data")).unwrap();
        symlink("..two", folder.0.join("..data")).unwrap();
        symlink("..data/blue", folder.0.join("blue")).unwrap();
        assert_eq!(look(&mut known, &folder.0), ["blue ", "red is gone"]);
        assert_eq!(look(&mut known, &folder.0), [""; 0]);
    }

    fn by_token(contexts: &[(&str, &str)]) -> String {
        let context = |(name, user): &(&str, &str)| {
            format!("- {{name: {name}, context: {{cluster: c, user: {user}}}}}\n")
        };
        let contexts: String = contexts.iter().map(context).collect();
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- {{name: c, cluster: {{server: 'https://c.example.com'}}}}\n\
             users:\n- {{name: u, user: {{token: t}}}}\ncontexts:\n{contexts}"
        )
    }

    #[test]
    fn a_context_that_leads_nowhere_keeps_no_other_from_its_cluster() {
        let folder = Folder::new("nowhere");
        let path = folder.write("config", &by_token(&[("red", "u"), ("blue", "nobody")]));
        let mut known = Known::default();
        assert_eq!(look(&mut known, &path), ["red "]);
        assert!(!known.is_complete());
        assert_eq!(look(&mut known, &path), [""; 0]);
        folder.write("config", &by_token(&[("red", "nobody"), ("blue", "u")]));
        assert_eq!(look(&mut known, &path), ["blue "], "red stays as it is");
        folder.write("config", &by_token(&[("blue", "u")]));
        assert_eq!(look(&mut known, &path), [""; 0]);
        assert_eq!(look(&mut known, &path), ["red is gone", "blue "]);
        assert!(known.is_complete());
        // What one names may be missing as well, and come later.
        let by_file = BY_CERTIFICATE.replace("name: red", "name: green");
        folder.write("two", &by_file);
        assert_eq!(look(&mut known, &folder.0), [""; 0]);
        folder.write("cert", "first");
        folder.write("key", "key");
        assert_eq!(look(&mut known, &folder.0), ["green Zmlyc3Q="]);
    }

    #[test]
    fn a_context_whose_certificate_is_no_file_holds_up_no_other() {
        let folder = Folder::new("endless");
        let endless = BY_CERTIFICATE.replace("client-key: key", "client-key: /dev/zero");
        folder.write("cert", "first");
        folder.write("one", &endless);
        folder.write("two", &by_token(&[("blue", "u")]));
        let mut known = Known::default();
        assert_eq!(look(&mut known, &folder.0), ["blue "]);
        let said = known.files[&folder.0.join("one")].failed["red"].clone();
        assert!(said.contains("/dev/zero is no regular file"), "{said}");
    }

    #[test]
    fn what_is_half_written_takes_no_cluster_away() {
        let folder = Folder::new("half-written");
        let whole = by_token(&[("red", "u"), ("blue", "u")]);
        let path = folder.write("config", &whole);
        let mut known = Known::default();
        // All of it but the last bracket.
        for length in 0..whole.trim_end().len() {
            known = Known::default();
            folder.write("config", &whole);
            assert_eq!(look(&mut known, &path), ["blue ", "red "]);
            folder.write("config", &whole[..length]);
            assert_eq!(look(&mut known, &path), [""; 0], "{}", &whole[..length]);
        }
        folder.write("config", "");
        assert_eq!(look(&mut known, &path), [""; 0]);
        assert_eq!(look(&mut known, &path), [""; 0], "it stays so");
    }

    #[test]
    fn what_is_written_before_each_look_is_believed_in_the_end() {
        let folder = Folder::new("busy");
        let path = folder.write("config", &by_token(&[("red", "u"), ("blue", "u")]));
        let mut known = Known::default();
        assert_eq!(look(&mut known, &path), ["blue ", "red "]);
        let now = by_token(&[("red", "u"), ("green", "u")]);
        let mut write_and_look = |round: usize| {
            folder.write("config", &format!("{now}# {}\n", "-".repeat(round)));
            look(&mut known, &path)
        };
        assert_eq!(write_and_look(1), [""; 0]);
        assert_eq!(write_and_look(2), [""; 0]);
        assert_eq!(write_and_look(3), ["blue is gone", "green ", "red "]);
        assert_eq!(write_and_look(4), ["green ", "red "]);
    }
}

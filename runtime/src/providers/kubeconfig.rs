//! The contexts of kubeconfigs in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use k8s_openapi::ByteString;
use kube::Config;
use kube::config::AuthInfo;

use super::{Provider, foreign};
use crate::Result;
use crate::fleet::{Cluster, Fleet, Reason};

/// How often it is looked.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);

/// Every context of a kubeconfig, or of all the kubeconfigs in a folder, as a cluster that is called like the context.
///
/// The files are looked at every five seconds. Contexts that come are engaged, and those that go are disengaged. What
/// changes changes the connection, and costs no key and no event, also where it is in a file that the kubeconfig names:
/// certificates, keys and tokens. A file that cannot be read leaves its clusters as they are, which is said once.
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
                if !named_all && known.failed.is_empty() {
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
}

/// When a file, and each that it names, was changed, and how long it is.
pub(super) type Marks = BTreeMap<PathBuf, Mark>;

type Mark = (Option<SystemTime>, u64);

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
        if known.is_some_and(|file| is_as_before(&file.marks)) && !self.failed.contains_key(path) {
            return;
        }
        let (marks, configs) = match read(path) {
            Ok(read) => read,
            Err(error) => return self.fail(path, &format!("{error:#}")),
        };
        self.failed.remove(path);
        let before = self.files.remove(path).unwrap_or_default().contexts;
        let contexts: BTreeSet<String> = configs.keys().cloned().collect();
        let of = |context: String, config| News {
            file: path.to_owned(),
            context,
            config,
        };
        // Those that go first: another file may have one of that name.
        let gone = before.difference(&contexts).cloned();
        news.extend(gone.map(|context| of(context, None)));
        news.extend(
            configs
                .into_iter()
                .map(|(context, config)| of(context, Some(Box::new(config)))),
        );
        self.files.insert(path.to_owned(), File { contexts, marks });
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

fn mark_of(path: &Path) -> io::Result<Mark> {
    let meta = fs::metadata(path)?;
    Ok((meta.modified().ok(), meta.len()))
}

pub(super) fn is_as_before(marks: &Marks) -> bool {
    let mut marks = marks.iter();
    marks.all(|(path, mark)| mark_of(path).is_ok_and(|now| now == *mark))
}

/// A file, and what is to be looked at to see whether it has changed.
fn parse(path: &Path) -> Result<(Marks, kube::config::Kubeconfig)> {
    // Before it is read: what changes meanwhile is read again.
    let mut marks = BTreeMap::from([(path.to_owned(), mark_of(path)?)]);
    let kubeconfig = kube::config::Kubeconfig::read_from(path)?;
    let clusters = kubeconfig.clusters.iter();
    let clusters = clusters.filter_map(|named| named.cluster.as_ref());
    let authorities = clusters.filter_map(|cluster| cluster.certificate_authority.as_ref());
    let users = kubeconfig.auth_infos.iter();
    let users = users.filter_map(|named| named.auth_info.as_ref());
    let of_users = users.flat_map(|user| [&user.client_certificate, &user.client_key]);
    let named: BTreeSet<&String> = authorities.chain(of_users.flatten()).collect();
    for file in named {
        marks.insert(file.into(), mark_of(Path::new(file))?);
    }
    Ok((marks, kubeconfig))
}

/// What the current context of a file leads to, or its only one.
pub(super) fn current(path: &Path) -> Result<(Marks, Config)> {
    let (marks, kubeconfig) = parse(path)?;
    let mut config = foreign::config_of(kubeconfig, true)?;
    take_in(&mut config.auth_info)?;
    Ok((marks, config))
}

/// The contexts of a file.
fn read(path: &Path) -> Result<(Marks, BTreeMap<String, Config>)> {
    let (marks, kubeconfig) = parse(path)?;
    let mut configs = BTreeMap::new();
    for context in &kubeconfig.contexts {
        let mut of_context = kubeconfig.clone();
        of_context.current_context = Some(context.name.clone());
        let mut config = Config::try_from(of_context)?;
        take_in(&mut config.auth_info)?;
        configs.insert(context.name.clone(), config);
    }
    Ok((marks, configs))
}

/// Takes in the files that are read once only, so that it can be told when they change. kube itself looks after that of a
/// token.
fn take_in(user: &mut AuthInfo) -> Result<()> {
    let read = |path: &str| -> Result<Option<String>> {
        let encoded = serde_json::to_value(ByteString(fs::read(path)?))?;
        Ok(encoded.as_str().map(ToOwned::to_owned))
    };
    if let (Some(path), None) = (&user.client_certificate, &user.client_certificate_data) {
        user.client_certificate_data = read(path)?;
    }
    if let (Some(path), None) = (&user.client_key, &user.client_key_data) {
        user.client_key_data = read(path)?.map(Into::into);
    }
    Ok(())
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
}

//! The contexts of a kubeconfig in a file, and how it is seen that the file has changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use k8s_openapi::ByteString;
use kube::Config;
use kube::config::{AuthInfo, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};

use super::foreign;
use crate::{Error, Result};

/// When a file, and each that it names, was changed, and how long it is; `None` where it is not there.
pub(super) type Marks = BTreeMap<PathBuf, Option<Mark>>;

pub(super) type Mark = (Option<SystemTime>, u64);

fn mark_of(path: &Path) -> io::Result<Mark> {
    let meta = fs::metadata(path)?;
    Ok((meta.modified().ok(), meta.len()))
}

pub(super) fn is_as_before(marks: &Marks) -> bool {
    let mut marks = marks.iter();
    marks.all(|(path, mark)| mark_of(path).ok() == *mark)
}

/// A file, and what is to be looked at to see whether it has changed.
fn parse(path: &Path) -> Result<(Marks, Kubeconfig)> {
    // Before it is read: what changes meanwhile is read again.
    let mark = mark_of(path)?;
    if mark.1 == 0 {
        // kube takes it for a kubeconfig, but whoever writes one begins like this.
        return Err(Error::terminal("it is empty"));
    }
    let mut marks = Marks::from([(path.to_owned(), Some(mark))]);
    let kubeconfig = Kubeconfig::read_from(path).map_err(foreign::told)?;
    for file in files_of(&kubeconfig) {
        marks
            .entry(file.into())
            .or_insert_with(|| mark_of(Path::new(file)).ok());
    }
    Ok((marks, kubeconfig))
}

/// The files that a kubeconfig names and that are read with it.
fn files_of(kubeconfig: &Kubeconfig) -> impl Iterator<Item = &str> {
    let clusters = kubeconfig.clusters.iter();
    let clusters = clusters.filter_map(|named| named.cluster.as_ref());
    let authorities = clusters.filter_map(|cluster| cluster.certificate_authority.as_deref());
    let users = kubeconfig.auth_infos.iter();
    let users = users.filter_map(|named| named.auth_info.as_ref());
    let of_users = users.flat_map(|user| [&user.client_certificate, &user.client_key]);
    authorities.chain(of_users.flatten().map(String::as_str))
}

/// Who reads from a pipe may wait for ever.
fn refuse_what_is_no_file(kubeconfig: &Kubeconfig) -> Result<()> {
    let users = kubeconfig.auth_infos.iter();
    let users = users.filter_map(|named| named.auth_info.as_ref());
    let tokens = users.filter_map(|user| user.token_file.as_deref());
    let mut files = files_of(kubeconfig).chain(tokens);
    match files.find(|file| fs::metadata(file).is_ok_and(|meta| !meta.is_file())) {
        Some(path) => Err(Error::terminal(format!("{path} is no regular file"))),
        None => Ok(()),
    }
}

/// What the current context of a file leads to, or its only one.
pub(super) fn current(path: &Path) -> Result<(Marks, Config)> {
    let (marks, kubeconfig) = parse(path)?;
    refuse_what_is_no_file(&kubeconfig)?;
    let mut config = foreign::config_of(kubeconfig, true)?;
    take_in(&mut config.auth_info)?;
    Ok((marks, config))
}

/// What each context of a file leads to.
pub(super) fn read(path: &Path) -> Result<(Marks, BTreeMap<String, Result<Config>>)> {
    let (marks, kubeconfig) = parse(path)?;
    // The first of a name counts.
    let clusters = kubeconfig.clusters.iter().rev();
    let clusters = clusters.map(|named| (named.name.as_str(), named)).collect();
    let users = kubeconfig.auth_infos.iter().rev();
    let users = users.map(|named| (named.name.as_str(), named)).collect();
    let contexts = kubeconfig.contexts.iter().rev();
    let configs = contexts
        .map(|context| (context.name.clone(), config(context, &clusters, &users)))
        .collect();
    Ok((marks, configs))
}

/// What one context leads to, of which nothing else in the file may be in the way.
fn config(
    context: &NamedContext,
    clusters: &BTreeMap<&str, &NamedCluster>,
    users: &BTreeMap<&str, &NamedAuthInfo>,
) -> Result<Config> {
    let mut alone = Kubeconfig {
        current_context: Some(context.name.clone()),
        contexts: vec![context.clone()],
        ..Kubeconfig::default()
    };
    if let Some(names) = &context.context {
        let cluster = clusters.get(names.cluster.as_str());
        alone.clusters = cluster.map(|&found| found.clone()).into_iter().collect();
        let user = names.user.as_deref().and_then(|user| users.get(user));
        alone.auth_infos = user.map(|&found| found.clone()).into_iter().collect();
    }
    refuse_what_is_no_file(&alone)?;
    let mut config = foreign::config_of(alone, true)?;
    take_in(&mut config.auth_info)?;
    Ok(config)
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

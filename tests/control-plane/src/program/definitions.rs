//! `--crds`: the CustomResourceDefinitions of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::Error;

/// A CRD, and the file that it is from.
pub(crate) struct Definition {
    path: PathBuf,
    object: DynamicObject,
}

/// Reads all files of a folder, by name.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Definition>, Error> {
    let failed = |source| Error::Read {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "yml" | "json")) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut definitions = Vec::new();
    for path in paths {
        definitions.extend(read_file(path)?);
    }
    Ok(definitions)
}

fn read_file(path: PathBuf) -> Result<Vec<Definition>, Error> {
    let text = fs::read_to_string(&path).map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    let documents: Vec<Value> = match serde_saphyr::from_multiple(&text) {
        Ok(documents) => documents,
        Err(error) => {
            let why = error.to_string();
            return Err(Error::Definition { path, why });
        }
    };
    let mut definitions = Vec::new();
    // A document of comments alone is none.
    let documents = documents.into_iter().filter(|document| !document.is_null());
    for (index, document) in documents.enumerate() {
        let object = definition(document).map_err(|why| Error::Definition {
            path: path.clone(),
            why: format!("document {}: {why}", index + 1),
        })?;
        definitions.push(Definition {
            path: path.clone(),
            object,
        });
    }
    if definitions.is_empty() {
        let why = "there is nothing in it".to_owned();
        return Err(Error::Definition { path, why });
    }
    Ok(definitions)
}

fn definition(document: Value) -> Result<DynamicObject, String> {
    let text = |field: &str| {
        let value = document.get(field).and_then(Value::as_str);
        value.unwrap_or("nothing").to_owned()
    };
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if (api_version.as_str(), kind.as_str())
        != ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    {
        return Err(format!(
            "expected a CustomResourceDefinition of apiextensions.k8s.io/v1, found {kind} of {api_version}"
        ));
    }
    serde_json::from_value(document).map_err(|error| error.to_string())
}

/// Installs them; they are served at once.
pub(crate) async fn install(client: &Client, definitions: Vec<Definition>) -> Result<(), Error> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
    ));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
    for Definition { path, object } in definitions {
        let created = api.create(&PostParams::default(), &object).await;
        created.map_err(|error| Error::Definition {
            path,
            why: super::in_words(error),
        })?;
    }
    Ok(())
}

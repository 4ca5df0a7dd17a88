//! `--crds`: the CustomResourceDefinitions of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use http::Request;
use http::header::{CONTENT_TYPE, WARNING};
use http_body_util::BodyExt;
use kube::Client;
use kube::api::DynamicObject;
use kube::core::Status;
use serde_json::Value;

use super::Error;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

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

/// Installs them; they are served at once. What the server warns of comes back, with the file.
pub(crate) async fn install(
    client: &Client,
    definitions: Vec<Definition>,
) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    for Definition { path, object } in definitions {
        let (warned, failed) = create(client, &object).await;
        let said = warned.into_iter();
        warnings.extend(said.map(|warning| format!("--crds: {}: {warning}", path.display())));
        if let Err(why) = failed {
            return Err(Error::Definition { path, why });
        }
    }
    Ok(warnings)
}

async fn create(client: &Client, object: &DynamicObject) -> (Vec<String>, Result<(), String>) {
    let sent = async {
        let body = serde_json::to_vec(object).map_err(|error| error.to_string())?;
        let request = Request::post(DEFINITIONS)
            .header(CONTENT_TYPE, "application/json")
            .body(kube::client::Body::from(body))
            .map_err(|error| error.to_string())?;
        client.send(request).await.map_err(super::in_words)
    };
    let answer = match sent.await {
        Ok(answer) => answer,
        Err(why) => return (Vec::new(), Err(why)),
    };
    let warned = answer.headers().get_all(WARNING).iter();
    let warned = warned.filter_map(|warning| Some(warning.to_str().ok()?.to_owned()));
    let warned = warned.collect();
    if answer.status().is_success() {
        return (warned, Ok(()));
    }
    let body = answer.into_body().collect().await;
    let status = body.ok().and_then(|body| {
        let status: Status = serde_json::from_slice(&body.to_bytes()).ok()?;
        Some(status.message)
    });
    (
        warned,
        Err(status.unwrap_or_else(|| "it is refused".to_owned())),
    )
}

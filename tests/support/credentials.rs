//! What a kubeconfig shows, taken out of it, and programs that show it.

use k8s_openapi::ByteString;
use kube::Config;
use kube::config::ExecConfig;
use serde_json::{Value, json};

/// A program that says what is in a file.
pub fn prints(file: String) -> ExecConfig {
    let program = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "cat",
        "args": [file],
        "interactiveMode": "Never",
    });
    serde_json::from_value(program).unwrap()
}

/// The token of a configuration.
///
/// # Panics
/// Where it has none.
pub fn token_of(config: &Config) -> String {
    let info = auth_of(config);
    info["token"].as_str().unwrap().to_owned()
}

/// The certificate of a configuration, and its key.
///
/// # Panics
/// Where it has none.
pub fn pem_of(config: &Config) -> [String; 2] {
    let info = auth_of(config);
    ["client-certificate-data", "client-key-data"].map(|part| {
        let decoded: ByteString = serde_json::from_value(info[part].clone()).unwrap();
        String::from_utf8(decoded.0).unwrap()
    })
}

fn auth_of(config: &Config) -> Value {
    serde_json::to_value(&config.auth_info).unwrap()
}

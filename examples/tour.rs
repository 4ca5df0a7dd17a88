//! What plays the user in `website`: the parts of the example that no author of an operator writes.
mod dns;
pub use dns::Dns;

/// Placeholder.
pub async fn main(
    _crd: impl serde::Serialize,
    _dns: Dns,
    operator: impl FnOnce(kube::Config, kommodore::Milo) -> kommodore::Builder,
) -> kommodore::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("info,kommodore=debug").init();
    let config = kube::Config::infer().await?;
    operator(config, kommodore::Milo::external()).run().await
}

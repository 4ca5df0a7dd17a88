//! One case on both servers.

use std::sync::Once;

use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::{Identity, Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::fleet::Fleet;

/// Makes two tests of each case, `embedded::..` and `real::..`. One invocation a file.
#[macro_export]
macro_rules! on_both_servers {
    ($($(#[$meta:meta])* async fn $name:ident($fleet:ident: &$type:ty) $body:block)+) => {
        $($(#[$meta])* async fn $name($fleet: &$type) $body)+

        mod embedded {
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(&$crate::run::embedded().await).await;
                }
            )+
        }

        mod real {
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(fleet) = $crate::run::real(stringify!($name)).await {
                        super::$name(&fleet).await;
                    }
                }
            )+
        }
    };
}

/// Ends a case, with a word, where nobody collects garbage and no namespace ever ends.
#[macro_export]
macro_rules! needs_garbage_collection {
    ($fleet:expr) => {
        if !$fleet.supports_gc() {
            eprintln!("skipped: there is no kube-controller-manager beside kube-apiserver, and this case needs it");
            return;
        }
    };
}

/// An embedded fleet.
pub async fn embedded() -> Fleet {
    logs();
    Fleet::embedded().await
}

/// An embedded fleet where roles count.
pub async fn embedded_with_roles() -> Fleet {
    logs();
    Fleet::embedded_with_roles().await
}

/// The real fleet, or a word that the case is skipped.
pub async fn real(case: &str) -> Option<Fleet> {
    logs();
    let fleet = Fleet::real().await;
    if fleet.is_none() {
        eprintln!(
            "skipped: real::{case} needs KUBEBUILDER_ASSETS, a folder with etcd and kube-apiserver"
        );
    }
    fleet
}

/// What `RUST_LOG` asks for, shown with a test that fails.
///
/// It also keeps what others listen to alive: a place that logs for the first time while nobody listens may be off for ever,
/// if somebody begins to listen at that very moment.
pub(crate) fn logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // kube says at the level of an error that it was answered with a 5xx, which many cases want.
        let filter = EnvFilter::try_from_default_env()
            .unwrap_or_else(|_| EnvFilter::new("warn,kube_client=off"));
        let shown = tracing_subscriber::fmt::layer().with_test_writer();
        let ours = Targets::new().with_target("kommodore", LevelFilter::TRACE);
        // It fails to take over what goes through the crate `log` where a case has done so for a log of its own.
        let _ = tracing_subscriber::registry()
            .with(shown.with_filter(filter))
            .with(Identity::new().with_filter(ours))
            .try_init();
    });
}

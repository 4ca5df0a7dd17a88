//! Talks with a server, and what is kept of them.

mod mask;
mod objects;
mod order;
mod protobuf;
mod raw;
mod recording;
mod roles;
mod servers;
mod talk;
mod watch;

pub(crate) use objects::{PORTS_OF_NODES, extend, map, thing, thing_crd, try_specs, with};
pub(crate) use servers::{on_embedded, on_real};
pub(crate) use talk::{Talk, Who};

/// Makes two tests of each case, `embedded::..` and `real::..`. One invocation a file.
macro_rules! conformance {
    ($($(#[$meta:meta])* async fn $name:ident($talk:ident: &mut Talk) $body:block)+) => {
        $($(#[$meta])* async fn $name($talk: &mut Talk) $body)+

        mod embedded {
            $(
                #[::tokio::test]
                async fn $name() {
                    $crate::conformance::support::on_embedded(module_path!(), stringify!($name), async |talk| super::$name(talk).await).await;
                }
            )+
        }

        mod real {
            $(
                #[::tokio::test]
                async fn $name() {
                    $crate::conformance::support::on_real(module_path!(), stringify!($name), async |talk| super::$name(talk).await).await;
                }
            )+
        }
    };
}

//! Second stage: the options beside the item that they stand on, one value for each.

use proc_macro2::{Ident, TokenStream};
use syn::{LitInt, LitStr, Path, TypePath};

use crate::args::{Arg, Args, Given, Index, Kind, Value, Watch};
use crate::errors::Errors;
use crate::names;
use crate::options::Opt;
use crate::target::{Target, form, target};

/// A controller, as far as it could be understood.
pub(crate) struct Model {
    pub(crate) target: Target,
    /// Where kommodore is, if not at `::kommodore`.
    pub(crate) root: Option<Path>,
    pub(crate) name: Name,
    /// The kind, or the mistake that takes its place.
    pub(crate) object: syn::Result<Kind>,
    pub(crate) owns: Vec<Kind>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) finalizer: Option<Finalizer>,
    pub(crate) conditions: Option<Conditions>,
    pub(crate) ready: Option<Keyed<Option<LitStr>>>,
    pub(crate) concurrency: Option<LitInt>,
    pub(crate) cluster_concurrency: Option<LitInt>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) resync: Option<LitStr>,
    pub(crate) backoff: Option<Keyed<Vec<LitStr>>>,
    pub(crate) prune: Option<Keyed<()>>,
    pub(crate) engage: Vec<Ident>,
    pub(crate) rbac: Vec<Kind>,
}

/// The controller's name, and where it comes from.
pub(crate) struct Name {
    pub(crate) value: String,
    pub(crate) given: Option<LitStr>,
}

/// The value of an option, with the word itself for errors about what it demands.
pub(crate) struct Keyed<T> {
    pub(crate) keyword: Ident,
    pub(crate) value: T,
}

pub(crate) type Finalizer = Keyed<Given<LitStr>>;
pub(crate) type Conditions = Keyed<Given<syn::Result<TypePath>>>;

/// The item to emit, which is the user's own, and the model, if there is a type to make it for.
pub(crate) fn build(
    args: Args,
    item: TokenStream,
    errors: &mut Errors,
) -> (TokenStream, Option<Model>) {
    let (item, target) = target(item, &form(&args), errors);
    let Some(target) = target else {
        // The place of the attribute is the mistake; what it says is looked at once it has moved.
        return (item, None);
    };
    let mut given = Slots::default();
    for arg in args.options {
        given.take(arg, errors);
    }
    let name = match given.name.flatten() {
        Some(text) => Name {
            value: text.value(),
            given: Some(text),
        },
        None => Name {
            value: names::kebab(target.ident.to_string().trim_start_matches("r#")),
            given: None,
        },
    };
    let object = given.object.unwrap_or_else(|| {
        Err(syn::Error::new(
            target.ident.span(),
            format!(
                "which kind does `{}` reconcile? write `#[controller(for = YourKind)]`",
                target.ident
            ),
        ))
    });
    let model = Model {
        target,
        root: given.root.flatten(),
        name,
        object,
        owns: given.owns.unwrap_or_default(),
        watches: given.watches.unwrap_or_default(),
        indexes: given.indexes.unwrap_or_default(),
        finalizer: given.finalizer,
        conditions: given.conditions,
        ready: given.ready,
        concurrency: given.concurrency.flatten(),
        cluster_concurrency: given.cluster_concurrency.flatten(),
        timeout: given.timeout.flatten(),
        resync: given.resync.flatten(),
        backoff: given.backoff,
        prune: given.prune,
        engage: given.engage.unwrap_or_default(),
        rbac: given.rbac.unwrap_or_default(),
    };
    (item, Some(model))
}

/// One place for each option.
#[derive(Default)]
struct Slots {
    object: Option<syn::Result<Kind>>,
    owns: Option<Vec<Kind>>,
    watches: Option<Vec<Watch>>,
    indexes: Option<Vec<Index>>,
    finalizer: Option<Finalizer>,
    conditions: Option<Conditions>,
    ready: Option<Keyed<Option<LitStr>>>,
    name: Option<Option<LitStr>>,
    concurrency: Option<Option<LitInt>>,
    cluster_concurrency: Option<Option<LitInt>>,
    timeout: Option<Option<LitStr>>,
    resync: Option<Option<LitStr>>,
    backoff: Option<Keyed<Vec<LitStr>>>,
    prune: Option<Keyed<()>>,
    engage: Option<Vec<Ident>>,
    rbac: Option<Vec<Kind>>,
    root: Option<Option<Path>>,
}

impl Slots {
    fn take(&mut self, arg: Arg, errors: &mut Errors) {
        let keyword = arg.keyword;
        let keyed = keyword.clone();
        // A word that was only guessed to mean this is one mistake already.
        let mut again = |opt: Opt, advice: &str| {
            if !arg.guessed {
                errors.on(&keyword, format!("`{}` is given twice{advice}", opt.name()));
            }
        };
        match arg.value {
            Value::For(kind) => put(&mut self.object, kind, || {
                again(
                    Opt::For,
                    ": a controller has one kind, so write a struct for each",
                );
            }),
            Value::Owns(kinds) => add(&mut self.owns, kinds, || {
                again(Opt::Owns, ": name all kinds in one list");
            }),
            Value::Watches(watches) => add(&mut self.watches, watches, || {
                again(Opt::Watches, ": name all kinds in one list");
            }),
            Value::Index(indexes) => add(&mut self.indexes, indexes, || {
                again(Opt::Index, ": name all indexes in one list");
            }),
            Value::Engage(words) => put(&mut self.engage, words, || {
                again(Opt::Engage, ": name all clusters in one list");
            }),
            Value::Rbac(kinds) => add(&mut self.rbac, kinds, || {
                again(Opt::Rbac, ": name all kinds in one list");
            }),
            Value::Finalizer(value) => {
                let keyword = keyed;
                put(&mut self.finalizer, Keyed { keyword, value }, || {
                    again(Opt::Finalizer, "");
                });
            }
            Value::Conditions(value) => {
                let keyword = keyed;
                put(&mut self.conditions, Keyed { keyword, value }, || {
                    again(Opt::Conditions, ": one enum has them all");
                });
            }
            Value::Ready(value) => {
                let keyword = keyed;
                put(&mut self.ready, Keyed { keyword, value }, || {
                    again(Opt::Ready, "");
                });
            }
            Value::Backoff(value) => {
                let keyword = keyed;
                put(&mut self.backoff, Keyed { keyword, value }, || {
                    again(Opt::Backoff, "");
                });
            }
            Value::Prune => {
                let (keyword, value) = (keyed, ());
                put(&mut self.prune, Keyed { keyword, value }, || {
                    again(Opt::Prune, "");
                });
            }
            Value::Name(text) => put(&mut self.name, text, || again(Opt::Name, "")),
            Value::Concurrency(number) => {
                put(&mut self.concurrency, number, || {
                    again(Opt::Concurrency, "")
                });
            }
            Value::ClusterConcurrency(number) => put(&mut self.cluster_concurrency, number, || {
                again(Opt::ClusterConcurrency, "");
            }),
            Value::Timeout(text) => put(&mut self.timeout, text, || again(Opt::Timeout, "")),
            Value::Resync(text) => put(&mut self.resync, text, || again(Opt::Resync, "")),
            Value::Crate(path) => put(&mut self.root, path, || again(Opt::Crate, "")),
        }
    }
}

/// Puts a value into its place; the first one counts.
fn put<T>(place: &mut Option<T>, value: T, again: impl FnOnce()) {
    match place {
        Some(_) => again(),
        None => *place = Some(value),
    }
}

/// Adds to a list.
fn add<T>(place: &mut Option<Vec<T>>, mut items: Vec<T>, again: impl FnOnce()) {
    match place {
        Some(list) => {
            again();
            list.append(&mut items);
        }
        None => *place = Some(items),
    }
}

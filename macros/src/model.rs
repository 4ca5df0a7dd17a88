//! Second stage: the options beside the item that they stand on, one value for each.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Fields, Generics, Item, LitInt, LitStr, Path, Token,
    Type, TypePath, Visibility, parse_quote,
};

use crate::args::{Arg, Args, Given, Kind, Value, Watch};
use crate::errors::{Errors, code};
use crate::names;
use crate::options::Opt;

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
    pub(crate) finalizer: Option<Finalizer>,
    pub(crate) conditions: Option<Conditions>,
    pub(crate) ready: Option<Keyed<Option<LitStr>>>,
    pub(crate) concurrency: Option<LitInt>,
    pub(crate) cluster_concurrency: Option<LitInt>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) resync: Option<LitStr>,
    pub(crate) backoff: Option<Keyed<Vec<LitStr>>>,
    pub(crate) rbac: Vec<Kind>,
}

/// The type that becomes a controller.
pub(crate) struct Target {
    pub(crate) ident: Ident,
    /// The type with its parameters.
    pub(crate) ty: TokenStream,
    pub(crate) generics: Generics,
    /// What has to stand on the implementations because it stands on the type.
    pub(crate) attributes: Vec<Attribute>,
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
        finalizer: given.finalizer,
        conditions: given.conditions,
        ready: given.ready,
        concurrency: given.concurrency.flatten(),
        cluster_concurrency: given.cluster_concurrency.flatten(),
        timeout: given.timeout.flatten(),
        resync: given.resync.flatten(),
        backoff: given.backoff,
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
    finalizer: Option<Finalizer>,
    conditions: Option<Conditions>,
    ready: Option<Keyed<Option<LitStr>>>,
    name: Option<Option<LitStr>>,
    concurrency: Option<Option<LitInt>>,
    cluster_concurrency: Option<Option<LitInt>>,
    timeout: Option<Option<LitStr>>,
    resync: Option<Option<LitStr>>,
    backoff: Option<Keyed<Vec<LitStr>>>,
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

/// The type of the item. Where the attribute stands on something else than a struct, the type that
/// was most likely meant, so that the user's other implementations do not fail for its lack.
fn target(item: TokenStream, form: &str, errors: &mut Errors) -> (TokenStream, Option<Target>) {
    if let Ok(input) = syn::parse2::<DeriveInput>(item.clone()) {
        let name = &input.ident;
        let keyword = match &input.data {
            Data::Struct(_) => None,
            Data::Enum(data) => Some((data.enum_token.span, "an enum")),
            Data::Union(data) => Some((data.union_token.span, "a union")),
        };
        if let Some((span, what)) = keyword {
            errors.at(
                span,
                format!(
                    "a controller is a struct, and `{name}` is {what}: write `{form} struct {name}`"
                ),
            );
        }
        let item = without_second_attribute(item, &input.attrs, errors);
        return (item, Some(Target::new(input)));
    }
    if let Some(target) = half_written(&item) {
        return (item, Some(target));
    }
    let (span, what, name) = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(block)) => {
            let name = code(&block.self_ty);
            let message = format!(
                "`#[controller]` belongs on the struct, and not on an `impl` of it: write `{form} struct {name}`"
            );
            errors.at(block.impl_token.span(), message);
            return (item, Target::of_impl(*block.self_ty, block.generics));
        }
        Ok(Item::Fn(function)) => {
            let name = function.sig.ident;
            let message = format!(
                "`#[controller]` belongs on a struct, and not on a function: write `{form} struct YourController`, with the code of \
                 `{name}` in `impl Reconcile for YourController`"
            );
            errors.at(name.span(), message);
            return (item, None);
        }
        Ok(Item::Trait(item)) => (item.ident.span(), "a trait", item.ident),
        Ok(Item::Mod(item)) => (item.ident.span(), "a module", item.ident),
        Ok(Item::Type(item)) => (item.ident.span(), "a type alias", item.ident),
        _ => {
            errors.on(
                &item,
                format!(
                    "`#[controller]` belongs on a struct: write `{form} struct YourController`"
                ),
            );
            return (item, None);
        }
    };
    errors.at(
        span,
        format!("`#[controller]` belongs on a struct, and `{name}` is {what}: write `{form} struct YourController`"),
    );
    (item, None)
}

/// The attribute in its shortest form, with the user's own kind.
fn form(args: &Args) -> String {
    let kinds = args.options.iter().filter_map(|arg| match &arg.value {
        Value::For(kind) => kind.as_ref().ok(),
        _ => None,
    });
    let kind = kinds.map(code).next();
    format!(
        "#[controller(for = {})]",
        kind.as_deref().unwrap_or("YourKind")
    )
}

/// A struct with a mistake inside, of which rustc tells: it is a controller all the same.
fn half_written(item: &TokenStream) -> Option<Target> {
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let struct_token: Token![struct] = input.parse()?;
        let ident: Ident = input.parse()?;
        let generics: Generics = input.parse()?;
        // Whatever there is.
        let _: TokenStream = input.parse()?;
        Ok(DeriveInput {
            attrs,
            vis,
            ident,
            generics,
            data: Data::Struct(DataStruct {
                struct_token,
                fields: Fields::Unit,
                semi_token: None,
            }),
        })
    };
    parser.parse2(item.clone()).ok().map(Target::new)
}

impl Target {
    fn new(input: DeriveInput) -> Self {
        let (_, parameters, _) = input.generics.split_for_impl();
        let ident = &input.ident;
        let ty = quote!(#ident #parameters);
        let cfgs = input
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .cloned();
        let attributes = cfgs.chain(allow_deprecated(input.attrs.iter())).collect();
        Self {
            ident: input.ident,
            ty,
            generics: input.generics,
            attributes,
        }
    }

    fn of_impl(ty: Type, generics: Generics) -> Option<Self> {
        let Type::Path(path) = &ty else { return None };
        let ident = path.path.segments.last()?.ident.clone();
        Some(Self {
            ident,
            ty: ty.into_token_stream(),
            generics,
            attributes: Vec::new(),
        })
    }
}

/// Of what is deprecated our own use is no misuse.
pub(crate) fn allow_deprecated<'a>(
    mut attributes: impl Iterator<Item = &'a Attribute>,
) -> Option<Attribute> {
    attributes
        .any(|attribute| attribute.path().is_ident("deprecated"))
        .then(|| parse_quote!(#[allow(deprecated)]))
}

/// A second `#[controller]` would implement everything twice, with an error for each.
fn without_second_attribute(
    item: TokenStream,
    attributes: &[Attribute],
    errors: &mut Errors,
) -> TokenStream {
    let is_ours = |attribute: &&Attribute| {
        let name = attribute.path().segments.last();
        name.is_some_and(|segment| segment.ident == "controller")
            && (attribute.path().segments.len() == 1
                || attribute.path().segments[0].ident == "kommodore")
    };
    let seconds: Vec<_> = attributes.iter().filter(is_ours).collect();
    if seconds.is_empty() {
        return item;
    }
    for second in &seconds {
        errors.on(
            second,
            "a struct is one controller: `#[controller]` stands here twice",
        );
    }
    // It is syn who knows where the attributes end: a `macro_rules!` puts invisible groups around what it
    // was given.
    let rest = |input: ParseStream<'_>| {
        Attribute::parse_outer(input)?;
        input.parse::<TokenStream>()
    };
    let Ok(rest) = rest.parse2(item.clone()) else {
        return item;
    };
    let kept = attributes.iter().filter(|attribute| !is_ours(attribute));
    quote!(#(#kept)* #rest)
}

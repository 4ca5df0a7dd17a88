//! The declaration: all that stands in the attribute besides the types, as a constant.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericParam, LitInt, LitStr, TypePath};

use crate::args::{Given, Kind, KindArg, KindValue, Named};
use crate::durations;
use crate::model::{Conditions, Keyed, Model};
use crate::options::KindOpt;

pub(super) fn declaration(model: &Model) -> TokenStream {
    let name = &model.name.value;
    let object = model.object.as_ref().ok();
    let select = object
        .and_then(select)
        .map(|select| quote!(.select(#select)));
    let on = object.and_then(on);
    let on_leave = object.is_some_and(releases).then(|| quote!(.release()));
    let owns = list("owns", model.owns.iter().map(kind));
    let watches = list(
        "watches",
        model.watches.iter().map(|watch| kind(&watch.kind)),
    );
    let rbac = list("rbac", model.rbac.iter().map(grant));
    let finalizer = model.finalizer.as_ref().map(|declared| {
        let name = match &declared.value {
            Given::Value(text) => quote!(Named(#text)),
            Given::Bare | Given::Broken => quote!(Derived),
        };
        quote!(.finalizer(__kommodore::Finalizer::#name))
    });
    let conditions = model
        .conditions
        .as_ref()
        .map(|declared| conditions(declared, model));
    let concurrency = number("concurrency", model.concurrency.as_ref());
    let cluster_concurrency = number("cluster_concurrency", model.cluster_concurrency.as_ref());
    let timeout = delay("timeout", model.timeout.as_ref());
    let resync = delay("resync", model.resync.as_ref());
    let backoff = model.backoff.as_ref().map(|Keyed { value, .. }| {
        let delays = value.iter().map(duration).take(2);
        // With less than two of them it is reported, and nothing runs.
        (value.len() >= 2).then(|| quote!(.backoff(#(#delays),*)))
    });
    let engage = engage(&model.engage);
    let prune = model.prune.as_ref().map(|_| quote!(.prune()));
    quote! {
        __kommodore::Declaration::new(#name)
            #select
            #on
            #on_leave
            #owns
            #watches
            #finalizer
            #conditions
            #concurrency
            #cluster_concurrency
            #timeout
            #resync
            #backoff
            #prune
            #engage
            #rbac
    }
}

/// `.engage(local, provider)`
fn engage(words: &[syn::Ident]) -> Option<TokenStream> {
    let has = |word: &str| words.iter().any(|given| given == word);
    let (local, provider) = (has("local"), has("provider"));
    (local || provider).then(|| quote!(.engage(#local, #provider)))
}

fn list(name: &str, items: impl Iterator<Item = TokenStream>) -> Option<TokenStream> {
    let method = ident(name);
    let mut items = items.peekable();
    items
        .peek()
        .is_some()
        .then(|| quote!(.#method(const { &[#(#items),*] })))
}

fn ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, Span::call_site())
}

fn number(name: &str, number: Option<&LitInt>) -> Option<TokenStream> {
    let method = ident(name);
    let count = usize::from(number?.base10_parse::<u16>().unwrap_or(1));
    let count = proc_macro2::Literal::usize_unsuffixed(count);
    Some(quote!(.#method(#count)))
}

fn delay(name: &str, text: Option<&LitStr>) -> Option<TokenStream> {
    let method = ident(name);
    let delay = duration(text?);
    Some(quote!(.#method(#delay)))
}

fn duration(text: &LitStr) -> TokenStream {
    // What is wrong is reported.
    let duration = durations::parse(&text.value()).unwrap_or_default();
    let millis = u64::try_from(duration.as_millis()).unwrap_or_default();
    let (unit, count) = match millis % 1_000 {
        0 => ("from_secs", millis / 1_000),
        _ => ("from_millis", millis),
    };
    let (unit, count) = (ident(unit), proc_macro2::Literal::u64_unsuffixed(count));
    quote!(__kommodore::Duration::#unit(#count))
}

fn kind(kind: &Kind) -> TokenStream {
    let select = select(kind).map(|select| quote!(.select(#select)));
    let named = named(kind);
    let full = kind.has(KindOpt::Full).then(|| quote!(.full()));
    let place = kind.options.iter().find_map(|arg| match &arg.value {
        KindValue::Word(word) => Some(quote!(.#word())),
        _ => None,
    });
    quote!(#named #select #full #place)
}

fn named(kind: &Kind) -> TokenStream {
    match &kind.named {
        Named::Typed(path) => quote!(__kommodore::Kind::of::<#path>()),
        Named::Dynamic(_) => {
            let text = |opt| match kind.text(opt) {
                Some(text) => text.to_token_stream(),
                None => quote!(""),
            };
            let (group, version, name) = (
                text(KindOpt::Group),
                text(KindOpt::Version),
                text(KindOpt::Kind),
            );
            let plural = match kind.text(KindOpt::Plural) {
                Some(plural) => quote!(Some(#plural)),
                None => quote!(None),
            };
            quote!(__kommodore::Kind::dynamic(#group, #version, #name, __kommodore::Option::#plural))
        }
    }
}

/// Which objects of the kind; `None` for all of them.
fn select(kind: &Kind) -> Option<TokenStream> {
    let mut calls = TokenStream::new();
    for KindArg { opt, value, .. } in &kind.options {
        let KindValue::Text(text) = value else {
            continue;
        };
        calls.extend(match (opt, &kind.named) {
            (KindOpt::Labels, _) => quote!(.labels(#text)),
            (KindOpt::Fields, _) => quote!(.fields(#text)),
            (KindOpt::Namespace, Named::Typed(path)) => quote!(.namespace::<#path>(#text)),
            (KindOpt::Namespace, Named::Dynamic(_)) => quote!(.any_namespace(#text)),
            _ => TokenStream::new(),
        });
    }
    (!calls.is_empty()).then(|| quote!(__kommodore::Select::ALL #calls))
}

fn on(kind: &Kind) -> Option<TokenStream> {
    let parts = kind.options.iter().find_map(|arg| match &arg.value {
        KindValue::Parts(parts) => Some(parts),
        _ => None,
    })?;
    let mut parts = parts
        .iter()
        .map(|part| ident(&part.to_string().to_uppercase()));
    let first = parts.next()?;
    Some(quote!(.on(__kommodore::On::#first #(.and(__kommodore::On::#parts))*)))
}

/// Whether what leaves the selection is released.
fn releases(kind: &Kind) -> bool {
    let mut options = kind.options.iter();
    options.any(|arg| matches!(&arg.value, KindValue::Leave(word) if word == "release"))
}

fn grant(kind: &Kind) -> TokenStream {
    let named = named(kind);
    let verbs = kind.text(KindOpt::Verbs).map(LitStr::value);
    let verbs = verbs
        .iter()
        .flat_map(|verbs| verbs.split(','))
        .map(str::trim);
    let subresource = kind
        .text(KindOpt::Subresource)
        .map(|text| quote!(.subresource(#text)));
    quote!(__kommodore::Grant::new(#named, &[#(#verbs),*]) #subresource)
}

/// Every token stands at the word `conditions`: a status that has no such field is an error there.
fn conditions(Keyed { keyword, .. }: &Conditions, model: &Model) -> TokenStream {
    let at = Span::mixed_site().located_at(keyword.span());
    let ready = match model.ready.as_ref().map(|ready| &ready.value) {
        Some(Some(text)) => text.to_token_stream(),
        _ => quote!("Ready"),
    };
    let object = model.object.as_ref().ok();
    let look = match object.map(|object| &object.named) {
        // Of a parameter only its bounds are known, and those do not speak of fields.
        Some(Named::Typed(path)) if !is_parameter(path, model) => quote_spanned! {at=>
            |object| {
                use __kommodore::PlainStatus as _;
                __kommodore::StatusField(&object.status)
                    .get()
                    .map(|status| __kommodore::is_condition_list(&status.conditions));
            }
        },
        _ => quote!(|_| {}),
    };
    quote_spanned!(at=> .conditions::<<Self as __kommodore::Controller>::Object>(#ready, #look))
}

/// A constant that does not compile where a declared condition has the name of the summary.
pub(super) fn ready_is_free(model: &Model) -> Option<TokenStream> {
    let ready = model.ready.as_ref()?.value.as_ref()?;
    let Given::Value(Ok(conditions)) = &model.conditions.as_ref()?.value else {
        return None;
    };
    let at = Span::mixed_site().located_at(ready.span());
    // What depends on a parameter is not known here.
    (!depends(conditions, model)).then(
        || quote_spanned!(at=> const _: () = __kommodore::assert_free_of::<#conditions>(#ready);),
    )
}

/// A constant that does not compile where no finalizer follows from the kind, for it has no group.
pub(super) fn finalizer_follows(model: &Model) -> Option<TokenStream> {
    let Keyed { keyword, value } = model.finalizer.as_ref()?;
    let Named::Typed(kind) = &model.object.as_ref().ok()?.named else {
        return None;
    };
    let at = Span::mixed_site().located_at(keyword.span());
    (matches!(value, Given::Bare) && !depends(kind, model)).then(|| {
        quote_spanned! {at=>
            const _: () = {
                use __kommodore::UnknownGroup as _;
                __kommodore::assert_group(__kommodore::GroupOf::<#kind>::GROUP);
            };
        }
    })
}

/// Whether the fields of a type are those of a parameter, of which only the bounds are known.
fn is_parameter(path: &TypePath, model: &Model) -> bool {
    let first = path.path.segments.first();
    path.qself.is_some()
        || first.is_some_and(|first| {
            let mut parameters = model.target.generics.type_params();
            parameters.any(|parameter| parameter.ident == first.ident)
        })
}

/// Whether a parameter of the controller stands in it anywhere.
fn depends(path: &TypePath, model: &Model) -> bool {
    let parameters: Vec<String> = model
        .target
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
            GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    mentions(path.to_token_stream(), &parameters)
}

fn mentions(tokens: TokenStream, words: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => words.contains(&word.to_string()) || word == "Self",
        TokenTree::Group(group) => mentions(group.stream(), words),
        _ => false,
    })
}

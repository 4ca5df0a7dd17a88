//! The controller's methods, as the runtime calls them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::args::{Named, Watch};
use crate::model::Model;

/// The tokens of each method stand where what it asks for was declared: a missing `impl Reconcile` is one error,
/// at the struct's name, a missing `impl Cleanup` one at `finalizer`, and a mapper of a wrong shape one at its
/// own name.
pub(super) fn start(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let at = Span::mixed_site().located_at(model.target.ident.span());
    let start = step(at, "start", &quote!(Reconcile), "reconcile");
    let cleanup = model.finalizer.as_ref().map(|declared| {
        let at = Span::mixed_site().located_at(declared.keyword.span());
        step(at, "cleanup", &quote!(Cleanup), "cleanup")
    });
    let map = map(model);
    quote_spanned! {at=>
        #[automatically_derived]
        impl #generics __kommodore::Start for #ty #bounds {
            #start
            #cleanup
            #map
        }
    }
}

/// The mistakes that `start` would have in it.
pub(super) fn mistakes(model: &Model) -> TokenStream {
    let mappers = model
        .watches
        .iter()
        .filter_map(|watch| watch.mapper.as_ref());
    let errors = mappers.filter_map(|mapper| mapper.as_ref().err());
    errors.map(syn::Error::to_compile_error).collect()
}

/// A method that calls one of the user's.
fn step(at: Span, name: &str, of: &TokenStream, method: &str) -> TokenStream {
    let (name, method) = (
        proc_macro2::Ident::new(name, at),
        proc_macro2::Ident::new(method, at),
    );
    quote_spanned! {at=>
        fn #name<'a>(
            &'a self,
            object: &'a <Self as __kommodore::Controller>::Object,
            cx: &'a __kommodore::Context<Self>,
        ) -> __kommodore::BoxFuture<'a, __kommodore::Result<__kommodore::Action>> {
            __kommodore::Box::pin(<Self as __kommodore::#of>::#method(self, object, cx))
        }
    }
}

fn map(model: &Model) -> Option<TokenStream> {
    if model.watches.iter().all(|watch| watch.mapper.is_none()) {
        return None;
    }
    let site = Span::mixed_site();
    let arms = model
        .watches
        .iter()
        .enumerate()
        .filter_map(|(place, watch)| arm(place, watch));
    Some(quote_spanned! {site=>
        fn map<'a>(
            &'a self,
            watch: __kommodore::usize,
            object: &'a __kommodore::AnyObject,
            cluster: &'a __kommodore::Cluster,
        ) -> __kommodore::BoxFuture<'a, __kommodore::Vec<__kommodore::ObjectKey>> {
            match watch {
                #(#arms)*
                _ => __kommodore::nothing(),
            }
        }
    })
}

fn arm(place: usize, Watch { kind, mapper, .. }: &Watch) -> Option<TokenStream> {
    let (mapper, name) = match mapper.as_ref()? {
        Ok(path) => {
            let last = path.path.segments.last();
            let name = last.map_or_else(|| path.span(), |last| last.ident.span());
            (path.to_token_stream(), name)
        }
        Err(error) => (error.to_compile_error(), error.span()),
    };
    let kind = match &kind.named {
        Named::Typed(path) => path.to_token_stream(),
        Named::Dynamic(_) => quote!(__kommodore::DynamicObject),
    };
    let place = proc_macro2::Literal::usize_unsuffixed(place);
    // rustc shows what is wrong with the signature where the call stands: at the method's name.
    let at = Span::mixed_site().located_at(name);
    // In two steps, because rustc's advice on a name in front of a call does not fit here.
    let closure = quote_spanned! {at=>
        |object| {
            let map = #mapper;
            __kommodore::keys(map(self, object, cluster))
        }
    };
    let site = Span::mixed_site();
    Some(quote_spanned!(site=> #place => __kommodore::mapped::<#kind>(object, #closure),))
}

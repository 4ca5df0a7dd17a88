//! What makes the lookups of the declared indexes: a function of the controller for each, called as the index is.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::args::Index;
use crate::model::Model;

pub(super) fn indexes(model: &Model) -> Option<TokenStream> {
    if model.indexes.is_empty() {
        return None;
    }
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    // A name that is there already is reported.
    let mut seen = HashSet::new();
    let lookups = model
        .indexes
        .iter()
        .filter(|index| seen.insert(&index.name))
        .map(|index| lookup(index, model));
    Some(quote! {
        #[automatically_derived]
        impl #generics #ty #bounds {
            #(#lookups)*
        }
    })
}

fn lookup(Index { name, values }: &Index, model: &Model) -> TokenStream {
    let value = proc_macro2::Ident::new("value", Span::mixed_site());
    let text = name.to_string();
    let text = text.trim_start_matches("r#");
    // Without a function or a kind, which is reported, nobody is to call it.
    let body = match (values, &model.object) {
        (Some(path), Ok(_)) => {
            // rustc shows what is wrong with the signature where the call stands: at the function's name.
            let last = path.path.segments.last();
            let at = last.map_or_else(|| path.span(), |last| last.ident.span());
            let at = Span::mixed_site().located_at(at);
            let values = quote_spanned! {at=>
                |object| {
                    let values = #path;
                    __kommodore::values(values(object))
                }
            };
            quote!(__kommodore::Lookup::indexed::<Self>(#text, #values, #value))
        }
        _ => quote!(loop {}),
    };
    quote! {
        #[allow(private_interfaces)]
        pub(crate) fn #name(
            #value: impl __kommodore::Into<__kommodore::String>,
        ) -> __kommodore::Lookup<<Self as __kommodore::Controller>::Object> {
            #body
        }
    }
}

//! Last stage: the code. It cannot fail; what is missing is left out or replaced.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

use crate::args::{Given, Watch};
use crate::errors::Errors;
use crate::model::{Finalizer, Model};

/// The user's item, the implementations and the errors.
pub(crate) fn expand(item: &TokenStream, model: Option<&Model>, errors: &Errors) -> TokenStream {
    let implementations = model.map(implementations);
    quote!(#item #implementations #errors)
}

/// Everything is named through one import, so that a `crate` that leads nowhere is one error.
fn implementations(model: &Model) -> TokenStream {
    let cfgs = &model.target.cfgs;
    let import = import(model.root.as_ref());
    let controller = controller(model);
    let finalizer = declares_finalizer(model);
    let start = start(model);
    quote! {
        #(#cfgs)*
        const _: () = {
            #import
            #controller
            #finalizer
            #start
        };
    }
}

/// The import that all expansions begin with.
pub(crate) fn import(root: Option<&Path>) -> TokenStream {
    let root = root.map_or_else(|| quote!(::kommodore), ToTokens::to_token_stream);
    quote!(use #root::__private as __kommodore;)
}

fn controller(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let name = &model.name.value;
    let object = match &model.object {
        Ok(kind) => kind.to_token_stream(),
        Err(error) => error_type(error),
    };
    let condition = match &model.conditions {
        Some(Given::Value(Ok(conditions))) => conditions.to_token_stream(),
        Some(Given::Value(Err(error))) => error_type(error),
        _ => quote!(__kommodore::NoConditions),
    };
    let owns = model.owns.iter().map(|kind| quote!(.owns::<#kind>()));
    let watches = model.watches.iter().map(watches);
    let finalizer = model.finalizer.as_ref().map(calls_cleanup);
    let conditions = model.conditions.as_ref().map(|_| quote!(.conditions()));
    quote! {
        #[automatically_derived]
        impl #generics __kommodore::Controller for #ty #bounds {
            type Object = #object;
            type Condition = #condition;
            fn declare() -> __kommodore::Declaration<Self> {
                __kommodore::Declaration::new(#name)
                    #(#owns)*
                    #(#watches)*
                    #finalizer
                    #conditions
            }
        }
    }
}

/// A type that is the error itself: rustc then compares nothing with it, and says nothing more.
fn error_type(error: &syn::Error) -> TokenStream {
    error.to_compile_error()
}

fn watches(Watch { kind, mapper }: &Watch) -> TokenStream {
    let at = Span::mixed_site().located_at(syn::spanned::Spanned::span(mapper));
    let call = quote_spanned!(at=> __kommodore::keys(#mapper(this, object, cluster)));
    let closure = quote_spanned!(at=> |this, object, cluster| #call);
    quote!(.watches::<#kind>(#closure))
}

/// Every token stands at the word `finalizer`: a missing `impl Cleanup` is one error, there.
fn calls_cleanup(Finalizer { keyword, value }: &Finalizer) -> TokenStream {
    let at = Span::mixed_site().located_at(keyword.span());
    let value = match value {
        Given::Value(text) => text.to_token_stream(),
        Given::Bare | Given::Broken => quote!(""),
    };
    quote_spanned! {at=>
        .finalizer(#value, |this, object, cx| {
            __kommodore::Box::pin(<Self as __kommodore::Cleanup>::cleanup(this, object, cx))
        })
    }
}

fn declares_finalizer(model: &Model) -> Option<TokenStream> {
    model.finalizer.as_ref()?;
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    Some(quote! {
        #[automatically_derived]
        impl #generics __kommodore::DeclaresFinalizer for #ty #bounds {}
    })
}

/// Every token of the call stands at the struct's name: a missing `impl Reconcile` is one error, there.
fn start(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let at = Span::mixed_site().located_at(model.target.ident.span());
    let call = quote_spanned! {at=>
        __kommodore::Box::pin(<Self as __kommodore::Reconcile>::reconcile(self, object, cx))
    };
    quote! {
        #[automatically_derived]
        impl #generics __kommodore::Start for #ty #bounds {
            fn start<'a>(
                &'a self,
                object: &'a <Self as __kommodore::Controller>::Object,
                cx: &'a __kommodore::Context<Self>,
            ) -> __kommodore::BoxFuture<'a, __kommodore::Result<__kommodore::Action>> {
                #call
            }
        }
    }
}

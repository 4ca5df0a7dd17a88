//! Last stage: the code. It cannot fail; what is missing is left out or replaced.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

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
    let attributes = &model.target.attributes;
    let import = import(model.root.as_ref());
    let controller = controller(model);
    let declares = declares(model);
    let start = (!borrows(model)).then(|| start(model));
    quote! {
        #(#attributes)*
        const _: () = {
            #import
            #controller
            #declares
            #start
        };
    }
}

/// A controller that borrows is reported; what asks it to be `'static` would be one more error each.
fn borrows(model: &Model) -> bool {
    model.target.generics.lifetimes().next().is_some()
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
    let watches = model
        .watches
        .iter()
        .filter(|_| !borrows(model))
        .map(watches);
    let finalizer = model.finalizer.as_ref().map(calls_cleanup);
    let conditions = model.conditions.as_ref().map(|_| quote!(.conditions()));
    quote! {
        #[automatically_derived]
        impl #generics __kommodore::Controller for #ty #bounds {
            type Object = #object;
            type Condition = #condition;
            fn declare() -> __kommodore::Declaration<Self> {
                __kommodore::Declaration::<Self>::new(#name)
                    #(#owns)*
                    #(#watches)*
                    #finalizer
                    #conditions
            }
        }
    }
}

/// A type that is the error itself, in the length of an array: rustc compares nothing with it and says
/// nothing more. In the place of a type `compile_error!` becomes `()`, about which rustc has a lot to
/// say.
fn error_type(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!([(); #error])
}

fn watches(Watch { kind, mapper, .. }: &Watch) -> TokenStream {
    let Some(mapper) = mapper else {
        // Nothing will run; this only looks at the kind, as `watches` would.
        return quote!(.owns::<#kind>());
    };
    // rustc shows what is wrong with the signature where the call stands: at the method's name.
    let name = mapper.path.segments.last().map(|last| last.ident.span());
    let at = Span::mixed_site().located_at(name.unwrap_or_else(|| mapper.span()));
    // In two steps, because rustc's advice on a name in front of a call does not fit here.
    let closure = quote_spanned! {at=>
        |this, object, cluster| {
            let map = #mapper;
            __kommodore::keys(map(this, object, cluster))
        }
    };
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

/// What the attribute declares that the traits for users ask for.
fn declares(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let finalizer = model.finalizer.as_ref().map(|_| {
        quote! {
            #[automatically_derived]
            impl #generics __kommodore::DeclaresFinalizer for #ty #bounds {}
        }
    });
    let conditions = match &model.conditions {
        Some(Given::Value(Ok(_))) => Some(quote! {
            #[automatically_derived]
            impl #generics __kommodore::DeclaresConditions<<Self as __kommodore::Controller>::Condition> for #ty #bounds {}
        }),
        // Which ones is not known: then all, so that setting one is no second error.
        Some(Given::Value(Err(_))) => {
            let mut generics = model.target.generics.clone();
            generics.params.push(syn::parse_quote!(__Any));
            let (generics, _, _) = generics.split_for_impl();
            Some(quote! {
                #[automatically_derived]
                impl #generics __kommodore::DeclaresConditions<__Any> for #ty #bounds {}
            })
        }
        _ => None,
    };
    quote!(#finalizer #conditions)
}

/// Every token stands at the struct's name: a missing `impl Reconcile` is one error, there.
fn start(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let at = Span::mixed_site().located_at(model.target.ident.span());
    quote_spanned! {at=>
        #[automatically_derived]
        impl #generics __kommodore::Start for #ty #bounds {
            fn start<'a>(
                &'a self,
                object: &'a <Self as __kommodore::Controller>::Object,
                cx: &'a __kommodore::Context<Self>,
            ) -> __kommodore::BoxFuture<'a, __kommodore::Result<__kommodore::Action>> {
                __kommodore::Box::pin(<Self as __kommodore::Reconcile>::reconcile(self, object, cx))
            }
        }
    }
}

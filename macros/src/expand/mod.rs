//! Last stage: the code. It cannot fail; what is missing is left out or replaced.

mod declaration;
mod indexes;
mod start;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::args::Given;
use crate::errors::Errors;
use crate::model::Model;

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
    let indexes = indexes::indexes(model);
    let start = match borrows(model) {
        false => start::start(model),
        true => start::mistakes(model),
    };
    quote! {
        #(#attributes)*
        const _: () = {
            #import
            #controller
            #declares
            #indexes
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
    let Some(root) = root else {
        return quote!(
            use ::kommodore::__private as __kommodore;
        );
    };
    // At the user's path, which may lead to something else.
    let at = Span::call_site().located_at(root.span());
    quote_spanned!(at=> use #root::__private as __kommodore;)
}

fn controller(model: &Model) -> TokenStream {
    let ty = &model.target.ty;
    let (generics, _, bounds) = model.target.generics.split_for_impl();
    let object = associated("Object", model.object.as_ref());
    let condition = match model.conditions.as_ref().map(|declared| &declared.value) {
        Some(Given::Value(conditions)) => associated("Condition", conditions.as_ref()),
        _ => quote!(
            type Condition = __kommodore::NoConditions;
        ),
    };
    let declaration = declaration::declaration(model);
    quote! {
        #[automatically_derived]
        impl #generics __kommodore::Controller for #ty #bounds {
            #object
            #condition
            const DECLARATION: __kommodore::Declaration = #declaration;
        }
    }
}

/// An associated type, every token of which stands at the user's: there rustc says of a type that is less
/// visible than the controller.
fn associated(name: &str, given: Result<&impl ToTokens, &syn::Error>) -> TokenStream {
    let given = match given {
        Ok(given) => given.to_token_stream(),
        Err(error) => error_type(error),
    };
    let at = Span::call_site().located_at(given.span());
    let name = proc_macro2::Ident::new(name, at);
    quote_spanned!(at=> type #name = #given;)
}

/// A type that is the error itself, in the length of an array: rustc compares nothing with it and says
/// nothing more. In the place of a type `compile_error!` becomes `()`, about which rustc has a lot to
/// say.
fn error_type(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!([(); #error])
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
    let conditions = match model.conditions.as_ref().map(|declared| &declared.value) {
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
    let ready = declaration::ready_is_free(model);
    let follows = declaration::finalizer_follows(model);
    quote!(#finalizer #conditions #ready #follows)
}

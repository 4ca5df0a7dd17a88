//! What the mutations begin with: the attributes and items of all fixtures, and some of our own.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Input;
use super::random::Random;

/// Attributes with every option, in the form that is right and in those that are not.
const ATTRIBUTES: &[&str] = &[
    "",
    "for = Deployment",
    "for = k8s_openapi::api::apps::v1::Deployment,",
    "for = ::a::B<C, { D }, 3, 'static>",
    "for = <A as B<C>>::D, owns(<A>::B, <A as B>::C)",
    "for = Deployment, owns(ConfigMap, Secret, a::b::Service,)",
    "for = Deployment, owns(ConfigMap(labels = \"a=b\", fields = \"x\"), Secret(full, in = \"shop\"))",
    "for = Deployment, watches(Secret => Self::using, Node => mappers::any::<Node>, Pod => f)",
    "for = Deployment, watches(Secret(labels = \"a=b\", on = create) => Self::using,)",
    "for = Deployment, watches(Secret => <Self as Maps<Secret>>::map::<3>)",
    "for = Deployment, finalizer = \"demo.kommodore.dev/rollout\"",
    "for = Deployment, conditions",
    "for = Deployment, conditions = Steps, name = \"rollout\", crate = a::b",
    "for = Deployment, index(by_image => Self::image), ready, prune = true, concurrency = 4",
    "for = Deployment, cluster_concurrency = 4, timeout = \"30s\", resync = \"10m\", backoff(min = \"1s\")",
    "for = Deployment, engage = Self::engage, rbac(groups = \"apps\", verbs = [\"get\"])",
    "for = Deployment(labels = \"a=b\", namespace = \"shop\", on_leave = keep)",
    "for = Deployment, owns = ConfigMap, watches = [Secret => Self::using], finalizer(\"a/b\")",
    "for(Deployment), conditions(Steps), name(\"a\"), crate(kommodore), owns[ConfigMap]",
    "for: Deployment, owns: ConfigMap, watches: Secret: Self::using, name: \"a\"",
    "for => Deployment, owns -> ConfigMap, conditions == Steps",
    "kind = Deployment, owned(ConfigMap), watch(Secret), finalizers = \"a/b\", status = Steps",
    "Deployment, ConfigMap, Secret",
    "\"Deployment\"",
    "for = \"Deployment\", owns(\"ConfigMap\"), watches(\"Secret\" => \"Self::using\"), crate = \"a::b\"",
    "r#for = Deployment(r#on = r#spec | r#labels, r#namespace = \"shop\"), r#timeout = \"5s\"x",
    "for = T::Kind, conditions = <T as Named>::Conditions, ready = \"Available\", finalizer",
    "for = Deployment, rbac(Secret(get, list), Secret(\"get\"), Secret = \"get\", groups = \"\", Secret(verbs = \"get\", subresource = \"x\"))",
    "for = Deployment, owns(Dynamic(group = \"\", version = \"v1\", kind = \"Pod\", plural = \"pods\", labels = \"a in (b)\"))",
    "for = Deployment, watches(a::Dynamic(version = \"v1\", kind = \"A\") => Self::b, Self::c, Dynamic() => f)",
    "for = Deployment, backoff(min = 1, max = \"5m\"), resync = 10m, concurrency = \"4\", cluster_concurrency = 0x4",
    "for = &Deployment, owns(&ConfigMap), watches(&Secret => &Self::using)",
    "for = dyn Object, owns(impl Object, [u8; 3], (A, B), fn(A) -> B, !, _, *const A)",
    "for = Deployment; owns(ConfigMap); finalizer = \"a/b\"",
    "for = Deployment owns(ConfigMap) finalizer = \"a/b\" conditions",
    "for = Deployment, watches(Secret, Self::using, Node, |node| vec![])",
    "for = Deployment, watches(Secret => Self::using(), Node => |node| vec![], Pod =>, => Self::using)",
    "for = Deployment, watches(Secret => self::using, Node => super::using, Pod => crate::using)",
    "for = , owns(), watches(), finalizer = , conditions = , name = , crate = ",
    "for, owns, watches, name, crate",
    "r#for = Deployment, r#owns(r#Type), crate = r#a",
    "for = Deployment, for = Pod, owns(A), owns(A), finalizer, finalizer, conditions, conditions",
    "for = Deployment, name = \"a\" + \"b\", finalizer = concat!(\"a\", \"b\"), crate = a::b<C>",
    "for = Dynamic(group = \"a\"), owns(Dynamic(kind = \"B\")), conditions = Dynamic()",
    "for = Vec<A, B>, owns(Map<A, Vec<B>>, Fn(A) -> B), watches(Map<A, B> => f::<A, B>)",
    "for = a::, owns(a::b::, ::), watches(Secret => Self::), crate = ::, conditions = a::",
    "for = A<, owns(A<B), conditions = A::<",
    "for = -1, owns(1, 'a, \"\"), name = 1, finalizer = 'c', crate = 0.5, conditions = b\"a\"",
    ",,, for = Deployment,, owns(,), watches(,,)",
    // Found by mutation.
    "for = Deployment, crate = Self, crate = \"Self\"",
    "for = Deployment, watches(Secret, Vec<u8>::using)",
    "for = super<A>, owns(crate::<A>, self<A>::B)",
    "for = Deployment; owns(ConfigMap;); name",
];

/// Items of every sort, and some that are none.
const ITEMS: &[&str] = &[
    "struct Rollout;",
    "pub(crate) struct Rollout(pub u8, #[doc(hidden)] Vec<u8>);",
    "/// Words.\n#[derive(Clone)] #[must_use] #[repr(C)] pub struct Rollout { #[doc = \"\"] a: u8, }",
    "struct Rollout<'a, 'b: 'a, D: Dns + ?Sized + 'static, T = u8, const N: usize = { 3 }>(&'a D, T) where T: for<'c> Fn(&'c u8) -> u8;",
    "struct Rollout<#[cfg(a)] T,>(T) where;",
    "#[controller(for = Deployment)] struct Rollout;",
    "#[kommodore::controller(for = A)] #[derive(Clone)] #[controller] #[other::controller] #[::kommodore::controller = 1] struct Rollout;",
    "#[cfg(a)] #[deprecated = \"old\"] #[cfg_attr(a, controller)] #[controllers] struct Rollout;",
    "struct _Private; ",
    "struct r#type;",
    "struct Größe;",
    "struct __;",
    "union Both { a: u8, b: i8 }",
    "#[controller] enum Fast { A, B }",
    "impl Reconcile for Rollout { async fn reconcile(&self) {} }",
    "impl<T> Rollout<T> where T: Clone { const A: u8 = 1; }",
    "impl Reconcile for &Rollout {}",
    "unsafe impl<'a, T: 'a + ?Sized> !Send for a::Rollout<'a, T, 3> {}",
    "impl dyn A {} ",
    "impl (A, B) {}",
    "impl A for [u8; 3] {}",
    "impl A for <B as C>::D {}",
    "async fn reconcile(_: &Deployment) -> Result<Action> { Ok(Action::done()) }",
    "const unsafe extern \"C\" fn f<const N: usize>() where {}",
    "fn f(&self);",
    "trait Reconcile: Send { type A; fn f(&self) {} }",
    "trait A = B;",
    "mod a { struct B; }",
    "mod a;",
    "type A<T> = Vec<T>;",
    "use a::{b as c, d::*};",
    "const A: u8 = 1;",
    "static mut A: u8 = 1;",
    "extern crate a as b;",
    "extern \"C\" { fn f(); }",
    "macro_rules! a { ($($b:tt)*) => { $($b)* } }",
    "a! { b }",
    "let a = 1;",
    "a + b",
    "a: u8",
    "{ }",
    ";",
    "",
    "#[condition(crate = a::b)] #[derive(Clone)] enum Steps { Built = 1, #[condition(negative)] Degraded, r#Shipped }",
    "#[condition] #[condition()] #[condition = 1] #[condition(crate)] #[condition(crate = a, crate = b)] enum Steps { A }",
    "#[condition(negative, positive, other, crate = 1, crate = a<B>, 1)] enum Steps { A }",
    "enum Steps { #[condition] A, #[condition()] B, #[condition(negatve)] C, #[condition(negative = true)] D }",
    "enum Steps { #[condition(positive, negative, negative)] A, #[condition(1 + 1)] B, #[condition(negative negative)] C }",
    "enum Steps<'a, T: Clone, const N: usize> where T: Copy { A(T), B { b: &'a u8 }, C(), D {} }",
    "enum Steps { Ready, Stalled, r#Ready, _A, A_, Größe, Self_ }",
    "enum Steps { #[deprecated] A, #[cfg(a)] B }",
    "enum Steps {}",
    "enum Steps { A = { 1 + 1 }, B = -1, C = N }",
    "#[condition(crate = a)] struct Steps { a: u8 }",
    "#[condition(crate = Self)] enum Steps { A }",
    "#[condition] union Steps { a: u8 }",
];

/// Where the mutations begin.
pub(super) struct Seeds {
    pub(super) pairs: Vec<Input>,
}

impl Seeds {
    pub(super) fn collect() -> Self {
        let mut pairs = Vec::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui");
        let mut fixtures = Vec::new();
        files(&folder, &mut fixtures);
        assert!(fixtures.len() > 10, "no fixtures in {}", folder.display());
        for fixture in &fixtures {
            let source = fs::read_to_string(fixture).expect("a readable fixture");
            items(tokens(&source), &mut pairs);
        }
        pairs.extend(ATTRIBUTES.iter().map(|attribute| Input {
            attribute: tokens(attribute),
            item: tokens(ITEMS[0]),
        }));
        pairs.extend(ITEMS.iter().map(|item| Input {
            attribute: tokens(ATTRIBUTES[2]),
            item: tokens(item),
        }));
        // As from a `macro_rules!`, which puts invisible groups around what it was given.
        pairs.extend(ITEMS.iter().map(|item| {
            Input {
                attribute: tokens("for = ")
                    .into_iter()
                    .chain([fragment("Deployment")])
                    .collect(),
                item: TokenStream::from(fragment(item)),
            }
        }));
        Self { pairs }
    }

    pub(super) fn pick(&self, random: &mut Random) -> &Input {
        &self.pairs[random.below(self.pairs.len())]
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|_| panic!("no tokens: {text}"))
}

fn fragment(text: &str) -> TokenTree {
    Group::new(Delimiter::None, tokens(text)).into()
}

/// The sources in a folder, in the same order on every machine.
fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("a fixture").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Cuts a source into items, which end at a `;` or with braces, and those in braces likewise. It need not
/// be right about all of them.
fn items(source: TokenStream, out: &mut Vec<Input>) {
    let mut item = Vec::new();
    for token in source {
        let ends = match &token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                items(group.stream(), out);
                true
            }
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        item.push(token);
        if ends {
            out.push(input(std::mem::take(&mut item)));
        }
    }
}

/// Takes our attribute off the item.
fn input(item: Vec<TokenTree>) -> Input {
    let arguments = |token: &TokenTree| {
        let TokenTree::Group(group) = token else {
            return None;
        };
        let mut inside = group.stream().into_iter();
        match (inside.next(), inside.next()) {
            (Some(TokenTree::Ident(name)), Some(TokenTree::Group(arguments)))
                if name == "controller" =>
            {
                Some(arguments.stream())
            }
            _ => None,
        }
    };
    let found = (1..item.len()).find_map(|i| arguments(&item[i]).map(|found| (i, found)));
    let Some((at, attribute)) = found else {
        return Input {
            attribute: TokenStream::new(),
            item: without_derive(item),
        };
    };
    let mut item = item;
    item.drain(at - 1..=at);
    Input {
        attribute,
        item: item.into_iter().collect(),
    }
}

/// As rustc does: a derive does not see the attribute that derives.
fn without_derive(item: Vec<TokenTree>) -> TokenStream {
    let derives = |token: &TokenTree| match token {
        TokenTree::Group(group) => group
            .stream()
            .into_iter()
            .next()
            .is_some_and(|first| matches!(first, TokenTree::Ident(name) if name == "derive")),
        _ => false,
    };
    let mut item = item;
    if let Some(at) = (1..item.len()).find(|&i| derives(&item[i])) {
        item.drain(at - 1..=at);
    }
    item.into_iter().collect()
}

//! The names of the options, and what somebody may have meant by another word.

/// The options that `#[controller]` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opt {
    For,
    Owns,
    Watches,
    Finalizer,
    Conditions,
    Name,
    Crate,
}

impl Opt {
    const ALL: [Self; 7] = [
        Self::For,
        Self::Owns,
        Self::Watches,
        Self::Finalizer,
        Self::Conditions,
        Self::Name,
        Self::Crate,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Owns => "owns",
            Self::Watches => "watches",
            Self::Finalizer => "finalizer",
            Self::Conditions => "conditions",
            Self::Name => "name",
            Self::Crate => "crate",
        }
    }
}

/// Options of the design that do not exist yet. They are refused, and not taken and ignored.
const LATER: [&str; 10] = [
    "index",
    "ready",
    "prune",
    "concurrency",
    "cluster_concurrency",
    "timeout",
    "resync",
    "backoff",
    "engage",
    "rbac",
];

/// The same for what may stand in parentheses behind one kind.
const LATER_OF_A_KIND: [&str; 7] = [
    "labels",
    "fields",
    "namespace",
    "on",
    "on_leave",
    "full",
    "in",
];

/// Words that come from elsewhere: other frameworks, other spellings.
const HABITS: [(&str, Opt); 23] = [
    ("kind", Opt::For),
    ("object", Opt::For),
    ("resource", Opt::For),
    ("reconciles", Opt::For),
    ("of", Opt::For),
    ("own", Opt::Owns),
    ("owned", Opt::Owns),
    ("owner", Opt::Owns),
    ("children", Opt::Owns),
    ("watch", Opt::Watches),
    ("watched", Opt::Watches),
    ("finalizers", Opt::Finalizer),
    ("finaliser", Opt::Finalizer),
    ("finalize", Opt::Finalizer),
    ("cleanup", Opt::Finalizer),
    ("condition", Opt::Conditions),
    ("status", Opt::Conditions),
    ("named", Opt::Name),
    ("controller", Opt::Name),
    ("field_manager", Opt::Name),
    ("krate", Opt::Crate),
    ("path", Opt::Crate),
    ("kommodore", Opt::Crate),
];

/// What a word in the place of an option's name is.
pub(crate) enum Word {
    Option(Opt),
    /// Part of the design, and not there yet.
    Later,
    /// Most likely this option.
    MeantOption(Opt),
    /// Most likely this one of those that are not there yet.
    MeantLater(&'static str),
    Unknown,
}

/// Looks up the name of an option of `#[controller]`.
pub(crate) fn option(word: &str) -> Word {
    if let Some(opt) = Opt::ALL.into_iter().find(|opt| opt.name() == word) {
        return Word::Option(opt);
    }
    if LATER.contains(&word) || LATER_OF_A_KIND.contains(&word) {
        return Word::Later;
    }
    let lower = word.to_lowercase();
    if let Some((_, opt)) = HABITS.iter().find(|(habit, _)| *habit == lower) {
        return Word::MeantOption(*opt);
    }
    let names = Opt::ALL.iter().map(|opt| opt.name()).chain(LATER);
    match nearest(&lower, names) {
        Some(name) => match Opt::ALL.into_iter().find(|opt| opt.name() == name) {
            Some(opt) => Word::MeantOption(opt),
            None => Word::MeantLater(name),
        },
        None => Word::Unknown,
    }
}

/// Looks up the name of an option behind a kind.
pub(crate) fn option_of_a_kind(word: &str) -> Word {
    if LATER_OF_A_KIND.contains(&word) {
        return Word::Later;
    }
    nearest(&word.to_lowercase(), LATER_OF_A_KIND.into_iter())
        .map_or(Word::Unknown, Word::MeantLater)
}

/// The names of all options, for those who are far off.
pub(crate) fn all() -> String {
    Opt::ALL.map(|opt| format!("`{}`", opt.name())).join(", ")
}

/// The name that differs from `word` by a typing error or two.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= name.len().min(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

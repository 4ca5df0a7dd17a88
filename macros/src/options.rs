//! The names of the options, and what somebody may have meant by another word.

/// The options that `#[controller]` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opt {
    For,
    Owns,
    Watches,
    Index,
    Finalizer,
    Conditions,
    Ready,
    Name,
    Concurrency,
    ClusterConcurrency,
    Timeout,
    Resync,
    Backoff,
    Prune,
    Engage,
    Rbac,
    Crate,
}

impl Opt {
    const ALL: [Self; 17] = [
        Self::For,
        Self::Owns,
        Self::Watches,
        Self::Index,
        Self::Finalizer,
        Self::Conditions,
        Self::Ready,
        Self::Name,
        Self::Concurrency,
        Self::ClusterConcurrency,
        Self::Timeout,
        Self::Resync,
        Self::Backoff,
        Self::Prune,
        Self::Engage,
        Self::Rbac,
        Self::Crate,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Owns => "owns",
            Self::Watches => "watches",
            Self::Index => "index",
            Self::Finalizer => "finalizer",
            Self::Conditions => "conditions",
            Self::Ready => "ready",
            Self::Name => "name",
            Self::Concurrency => "concurrency",
            Self::ClusterConcurrency => "cluster_concurrency",
            Self::Timeout => "timeout",
            Self::Resync => "resync",
            Self::Backoff => "backoff",
            Self::Prune => "prune",
            Self::Engage => "engage",
            Self::Rbac => "rbac",
            Self::Crate => "crate",
        }
    }
}

/// What may stand in parentheses behind a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KindOpt {
    Labels,
    Fields,
    Namespace,
    On,
    Full,
    In,
    OnLeave,
    Verbs,
    Subresource,
    Group,
    Version,
    Kind,
    Plural,
}

/// Where a kind stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    For,
    Owns,
    Watches,
    Rbac,
    /// The value of `conditions`, which is no kind.
    Conditions,
}

impl KindOpt {
    const ALL: [Self; 13] = [
        Self::Labels,
        Self::Fields,
        Self::Namespace,
        Self::On,
        Self::Full,
        Self::In,
        Self::OnLeave,
        Self::Verbs,
        Self::Subresource,
        Self::Group,
        Self::Version,
        Self::Kind,
        Self::Plural,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Fields => "fields",
            Self::Namespace => "namespace",
            Self::On => "on",
            Self::Full => "full",
            Self::In => "in",
            Self::OnLeave => "on_leave",
            Self::Verbs => "verbs",
            Self::Subresource => "subresource",
            Self::Group => "group",
            Self::Version => "version",
            Self::Kind => "kind",
            Self::Plural => "plural",
        }
    }

    /// How it is written.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Labels => "labels = \"tier=gold\"",
            Self::Fields => "fields = \"metadata.name=main\"",
            Self::Namespace => "namespace = \"shop\"",
            Self::On => "on = any_change",
            Self::Full => "full",
            Self::In => "in = local",
            Self::OnLeave => "on_leave = release",
            Self::Verbs => "verbs = \"get, delete\"",
            Self::Subresource => "subresource = \"scale\"",
            Self::Group => "group = \"example.org\"",
            Self::Version => "version = \"v1\"",
            Self::Kind => "kind = \"Page\"",
            Self::Plural => "plural = \"pages\"",
        }
    }

    fn fits(self, place: Place, dynamic: bool) -> bool {
        match self {
            Self::Labels | Self::Fields | Self::Namespace => {
                matches!(place, Place::For | Place::Owns | Place::Watches)
            }
            Self::On | Self::OnLeave => place == Place::For,
            Self::Full => place == Place::Owns && !dynamic,
            Self::In => matches!(place, Place::Owns | Place::Watches),
            Self::Verbs | Self::Subresource => place == Place::Rbac,
            Self::Group | Self::Version | Self::Kind | Self::Plural => {
                dynamic && place != Place::Conditions
            }
        }
    }
}

/// The words of `engage`, and of `in` behind a kind that is owned: the host cluster, and those of the providers.
pub(crate) const CLUSTERS: [&str; 2] = ["local", "provider"];

/// The words of `on`.
pub(crate) const PARTS: [&str; 4] = ["any_change", "spec", "labels", "annotations"];

/// The words of `on_leave`.
pub(crate) const LEAVES: [&str; 2] = ["keep", "release"];

/// The verbs of Kubernetes: of its requests, and those that its own authorizers ask about.
pub(crate) const VERBS: [&str; 17] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "approve",
    "attest",
    "bind",
    "escalate",
    "impersonate",
    "sign",
    "use",
    "proxy",
    "*",
];

/// Words that come from elsewhere: other frameworks, other spellings.
const HABITS: [(&str, Opt); 45] = [
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
    ("indexes", Opt::Index),
    ("indices", Opt::Index),
    ("index_field", Opt::Index),
    ("indexer", Opt::Index),
    ("finalizers", Opt::Finalizer),
    ("finaliser", Opt::Finalizer),
    ("finalize", Opt::Finalizer),
    ("cleanup", Opt::Finalizer),
    ("condition", Opt::Conditions),
    ("status", Opt::Conditions),
    ("named", Opt::Name),
    ("controller", Opt::Name),
    ("field_manager", Opt::Name),
    ("ready_condition", Opt::Ready),
    ("summary", Opt::Ready),
    ("workers", Opt::Concurrency),
    ("max_concurrent_reconciles", Opt::Concurrency),
    ("maxconcurrentreconciles", Opt::Concurrency),
    ("parallelism", Opt::Concurrency),
    ("deadline", Opt::Timeout),
    ("reconcile_timeout", Opt::Timeout),
    ("reconciliationtimeout", Opt::Timeout),
    ("resync_period", Opt::Resync),
    ("sync_period", Opt::Resync),
    ("requeue", Opt::Resync),
    ("rate_limiter", Opt::Backoff),
    ("ratelimiter", Opt::Backoff),
    ("retry", Opt::Backoff),
    ("engages", Opt::Engage),
    ("clusters", Opt::Engage),
    ("permissions", Opt::Rbac),
    ("krate", Opt::Crate),
    ("path", Opt::Crate),
    ("kommodore", Opt::Crate),
];

/// What a word in the place of an option's name is.
pub(crate) enum Word {
    Option(Opt),
    /// It stands behind a kind.
    OfAKind(KindOpt),
    /// Most likely this option.
    MeantOption(Opt),
    Unknown,
}

/// Looks up the name of an option of `#[controller]`.
pub(crate) fn option(word: &str) -> Word {
    if let Some(opt) = Opt::ALL.into_iter().find(|opt| opt.name() == word) {
        return Word::Option(opt);
    }
    // Some of them may be meant for an option by a habit: `kind = ..` for `for = ..`.
    if !HABITS.iter().any(|(habit, _)| *habit == word)
        && let Some(opt) = KindOpt::ALL.into_iter().find(|opt| opt.name() == word)
    {
        return Word::OfAKind(opt);
    }
    let lower = word.to_lowercase();
    if let Some((_, opt)) = HABITS.iter().find(|(habit, _)| *habit == lower) {
        return Word::MeantOption(*opt);
    }
    let meant = nearest(&lower, Opt::ALL.iter().map(|opt| opt.name()));
    let meant = Opt::ALL.into_iter().find(|opt| Some(opt.name()) == meant);
    meant.map_or(Word::Unknown, Word::MeantOption)
}

/// What a word in the parentheses behind a kind is.
pub(crate) enum KindWord {
    Option(KindOpt),
    /// It exists, and stands elsewhere.
    Elsewhere(KindOpt),
    /// Most likely this one.
    Meant(KindOpt),
    Unknown,
}

/// Looks up the name of an option behind a kind.
pub(crate) fn option_of_a_kind(word: &str, place: Place, dynamic: bool) -> KindWord {
    if let Some(opt) = KindOpt::ALL.into_iter().find(|opt| opt.name() == word) {
        return match opt.fits(place, dynamic) {
            true => KindWord::Option(opt),
            false => KindWord::Elsewhere(opt),
        };
    }
    let fitting = || {
        KindOpt::ALL
            .into_iter()
            .filter(move |opt| opt.fits(place, dynamic))
    };
    let lower = word.to_lowercase();
    let habit = match lower.as_str() {
        "label" | "selector" | "label_selector" | "labelselector" => Some(KindOpt::Labels),
        "field" | "field_selector" | "fieldselector" => Some(KindOpt::Fields),
        "namespaces" | "ns" => Some(KindOpt::Namespace),
        "predicate" | "predicates" | "changes" => Some(KindOpt::On),
        "whole" | "objects" => Some(KindOpt::Full),
        "cluster" | "local" | "host" => Some(KindOpt::In),
        "verb" => Some(KindOpt::Verbs),
        "api_version" | "apiversion" => Some(KindOpt::Version),
        "resource" => Some(KindOpt::Plural),
        _ => None,
    };
    let meant = habit.filter(|opt| opt.fits(place, dynamic)).or_else(|| {
        let name = nearest(&lower, fitting().map(KindOpt::name))?;
        fitting().find(|opt| opt.name() == name)
    });
    meant.map_or(KindWord::Unknown, KindWord::Meant)
}

/// The options that a kind takes in this place, for those who are far off.
pub(crate) fn all_of_a_kind(place: Place, dynamic: bool) -> String {
    let all: Vec<String> = KindOpt::ALL
        .into_iter()
        .filter(|opt| opt.fits(place, dynamic))
        .map(|opt| format!("`{}`", opt.name()))
        .collect();
    all.join(", ")
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

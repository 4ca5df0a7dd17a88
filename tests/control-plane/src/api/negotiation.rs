//! What the `Accept` header asks for, as the API server reads it.

use http::header::ACCEPT;
use http::{HeaderMap, Response};

use super::{pretty, protobuf, yaml};
use crate::serve::Body;

/// A format of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Yaml,
    Protobuf,
}

impl Media {
    /// In the order in which `*/*` means them.
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Yaml, Self::Protobuf];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => yaml::MEDIA_TYPE,
            Self::Protobuf => protobuf::MEDIA_TYPE,
        }
    }
}

/// What an object is to be turned into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Convert<'h> {
    pub(crate) kind: &'h str,
    pub(crate) group: &'h str,
    pub(crate) version: &'h str,
}

/// How an answer is told, which is made in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) media: Media,
    /// Whether it goes on, event after event.
    pub(crate) is_watch: bool,
    /// It is for a reader who takes no format that there is.
    pub(crate) is_raw: bool,
}

impl Told {
    /// Whatever it is that failed.
    pub(crate) fn of_failure(headers: &HeaderMap) -> Self {
        let found = negotiate(headers, |_, convert| convert.is_none().then_some(()));
        Self {
            media: found.map_or(Media::Json, |(media, ())| media),
            is_watch: false,
            is_raw: found.is_none(),
        }
    }

    /// Tells an answer so.
    pub(crate) async fn tell(self, response: Response<Body>) -> Response<Body> {
        match self.media {
            Media::Json if self.is_raw => pretty::answer(response).await,
            Media::Json => response,
            Media::Yaml => yaml::answer(response).await,
            Media::Protobuf => protobuf::answer(response, self.is_watch).await,
        }
    }
}

/// A part of the header, between commas.
struct Clause<'h> {
    kind: &'h str,
    subtype: &'h str,
    quality: f32,
    parameters: Vec<(&'h str, &'h str)>,
}

/// The media types of the header, without their parameters; anything, if there is no header.
pub(crate) fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let ranges = header(headers).unwrap_or("*/*").split(',');
    ranges.map(|range| range.split(';').next().unwrap_or_default().trim())
}

/// The first media type, of those that the client likes best, with what is made of it if that is allowed.
pub(crate) fn negotiate<'h, T>(
    headers: &'h HeaderMap,
    allows: impl Fn(Media, Option<Convert<'h>>) -> Option<T>,
) -> Option<(Media, T)> {
    let Some(header) = header(headers) else {
        return allows(Media::Json, None).map(|made| (Media::Json, made));
    };
    clauses(header).iter().find_map(|clause| {
        let known = Media::ALL.into_iter().filter(|media| clause.means(*media));
        known
            .filter(|media| clause.streams(*media))
            .find_map(|media| Some((media, allows(media, clause.convert())?)))
    })
}

/// Whether what the client accepts cannot be read.
pub(crate) fn names_nothing(headers: &HeaderMap) -> bool {
    header(headers).is_some_and(|header| clauses(header).is_empty())
}

/// The format that the client likes best of some, with what is made of it, if that is allowed.
pub(crate) fn preferred<'h, 'k>(
    headers: &'h HeaderMap,
    known: &[&'k str],
    allows: impl Fn(&str, Option<Convert<'h>>) -> bool,
) -> Option<(&'k str, Option<Convert<'h>>)> {
    let clauses = clauses(header(headers).unwrap_or("*/*"));
    clauses.iter().find_map(|clause| {
        let convert = clause.convert();
        let mut means = known.iter().filter(|known| clause.is_of(known));
        let found = means.find(|format| allows(format, convert))?;
        Some((*found, convert))
    })
}

/// Whether the media type that the client likes best is to be indented.
pub(super) fn wants_pretty(headers: &HeaderMap) -> bool {
    let clauses = header(headers).map(clauses).unwrap_or_default();
    let mut known = clauses
        .iter()
        .filter(|clause| Media::ALL.into_iter().any(|media| clause.means(media)));
    let best = known.next();
    best.is_some_and(|clause| clause.parameter("pretty") == Some("1"))
}

fn header(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(ACCEPT)?.to_str().ok()?;
    (!header.is_empty()).then_some(header)
}

/// The parts of a header, the best first.
fn clauses(header: &str) -> Vec<Clause<'_>> {
    let mut sorted: Vec<Clause<'_>> = Vec::new();
    for clause in header.split(',').filter_map(Clause::read) {
        // The relation is no order: where a part goes depends on how it is put in its place.
        let before = sorted.iter().rposition(|known| !clause.is_before(known));
        sorted.insert(before.map_or(0, |at| at + 1), clause);
    }
    sorted
}

impl<'h> Clause<'h> {
    fn read(text: &'h str) -> Option<Self> {
        let mut parts = text.split(';');
        let range = parts.next()?.trim_matches(' ');
        let (kind, subtype) = match range.split_once('/') {
            Some((kind, subtype)) if !subtype.contains('/') => (kind, subtype),
            None if range == "*" => ("*", "*"),
            _ => return None,
        };
        let mut clause = Self {
            kind: kind.trim_matches(' '),
            subtype: subtype.trim_matches(' '),
            quality: 1.0,
            parameters: Vec::new(),
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let name = name.trim_matches(' ');
            if value.is_empty() || value.contains('=') {
                continue;
            }
            match name {
                "q" => clause.quality = value.parse().unwrap_or(0.0),
                _ => clause.parameters.push((name, value.trim_matches(' '))),
            }
        }
        Some(clause)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.quality > other.quality
            || (self.kind != "*" && other.kind == "*")
            || (self.subtype != "*" && other.subtype == "*")
    }

    /// The same of one part after the other.
    fn is_of(&self, media: &str) -> bool {
        let (kind, subtype) = media.split_once('/').unwrap_or_default();
        [(self.kind, kind), (self.subtype, subtype)]
            .into_iter()
            .all(|(said, known)| said == known || said == "*")
    }

    fn means(&self, media: Media) -> bool {
        let (kind, subtype) = media.name().split_once('/').unwrap_or_default();
        (self.kind == kind && (self.subtype == subtype || self.subtype == "*"))
            || (self.kind == "*" && self.subtype == "*")
    }

    fn parameter(&self, name: &str) -> Option<&'h str> {
        let mut found = self.parameters.iter().rev();
        found
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    /// Whether the media type can be that of a stream, where the client names one.
    fn streams(&self, media: Media) -> bool {
        match self.parameter("stream") {
            None | Some("") => true,
            Some(stream) => stream == "watch" && media != Media::Yaml,
        }
    }

    fn convert(&self) -> Option<Convert<'h>> {
        let [kind, group, version] = ["as", "g", "v"].map(|name| self.parameter(name));
        [kind, group, version]
            .iter()
            .any(Option::is_some)
            .then(|| Convert {
                kind: kind.unwrap_or_default(),
                group: group.unwrap_or_default(),
                version: version.unwrap_or_default(),
            })
    }
}

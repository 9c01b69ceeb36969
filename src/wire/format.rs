/// The format requested from the server.
///
/// The decoded value is the same either way. JSON Lines is what the API's
/// documentation shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `Accept: application/json`
    #[default]
    Json,
    /// `Accept: text/jsonl`, a reply of exactly one line.
    Jsonl,
}

impl Format {
    /// Contract, "Negotiation" 2: the server reads only the first media type,
    /// and treats an unknown one as HTML.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jsonl => "text/jsonl",
        }
    }
}

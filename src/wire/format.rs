/// The form in which the server is asked to write its reply.
///
/// The value is the same either way; JSON Lines is what the API's docs page
/// shows.
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
    /// Contract, "Negotiation" 2: the server looks at the first media type
    /// only, and takes everything it does not know for HTML.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jsonl => "text/jsonl",
        }
    }
}

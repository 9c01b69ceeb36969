use super::{Format, base_url::BaseUrl, guid};
use crate::{
    dto::GetAiChatUsage,
    error::{ConfigError, Error, text},
    transport::HttpRequest,
};

/// The path of the operation, relative to the base URL.
pub(crate) const PATH: &str = "/assistant/ai-chat/usage";

/// Everything that goes into one request besides the DTO.
pub(crate) struct Envelope<'a> {
    pub base_url: &'a BaseUrl,
    pub format: Format,
    pub bearer_token: Option<&'a str>,
    pub api_key: Option<&'a str>,
    /// Extra headers that the caller set.
    pub extra: &'a [(String, String)],
}

/// Builds the request. The company id has been validated.
pub(crate) fn request(dto: &GetAiChatUsage, envelope: &Envelope<'_>) -> HttpRequest {
    let mut url = endpoint(envelope.base_url);
    if let Some(company_id) = &dto.company_id {
        url.push_str("?CompanyId=");
        for byte in company_id.bytes() {
            // Braces are the only characters of a Guid that a query may not contain.
            match byte {
                b'{' => url.push_str("%7B"),
                b'}' => url.push_str("%7D"),
                _ => url.push(char::from(byte)),
            }
        }
    }
    let mut headers = Vec::new();
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    add("Accept", envelope.format.media_type());
    if let Some(token) = envelope.bearer_token {
        add("Authorization", &text!["Bearer ", token]);
    }
    if let Some(key) = envelope.api_key {
        add("x-api-key", key);
    }
    for (name, value) in envelope.extra {
        add(name, value);
    }
    HttpRequest { url, headers }
}

/// The URL of the operation, without the query.
pub(crate) fn endpoint(base_url: &BaseUrl) -> String {
    text![base_url.as_str(), PATH]
}

/// # Errors
/// An empty company id, because the server would answer for the caller's own
/// company (contract, "Negotiation" 6); an id that is not a Guid, because it
/// would answer 400 before it checks the credentials ("Failures" 5).
pub(crate) fn check_company_id(company_id: &str) -> Result<(), Error> {
    if company_id.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Err(ConfigError::new(&[
            "The company id is empty; leave it out to ask for the caller's own company.",
        ])
        .into());
    }
    if guid::number(company_id).is_none() {
        return Err(ConfigError::new(&[
            "The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes.",
        ])
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPANY: &str = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";

    fn write(dto: &GetAiChatUsage, base: &str) -> HttpRequest {
        request(
            dto,
            &Envelope {
                base_url: &BaseUrl::parse(base).unwrap(),
                format: Format::Jsonl,
                bearer_token: Some("t0ken"),
                api_key: Some("key"),
                extra: &[],
            },
        )
    }

    #[test]
    fn the_request_is_the_one_of_the_contract() {
        let request = write(
            &GetAiChatUsage::for_company(COMPANY),
            "https://api.bookmore.com/",
        );
        assert_eq!(
            request.url,
            "https://api.bookmore.com/assistant/ai-chat/usage?CompanyId=9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"
        );
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            headers,
            [
                ("Accept", "text/jsonl"),
                ("Authorization", "Bearer t0ken"),
                ("x-api-key", "key"),
            ]
        );
    }

    #[test]
    fn values_are_percent_encoded_and_no_company_means_no_query() {
        let braced = ["{", COMPANY, "}"].concat();
        let request = write(
            &GetAiChatUsage::for_company(braced),
            "http://localhost/base",
        );
        assert_eq!(
            request.url,
            [
                "http://localhost/base/assistant/ai-chat/usage?CompanyId=%7B",
                COMPANY,
                "%7D"
            ]
            .concat()
        );
        let request = write(&GetAiChatUsage::default(), "http://localhost");
        assert_eq!(request.url, "http://localhost/assistant/ai-chat/usage");
    }

    #[test]
    fn a_company_id_that_the_server_would_misread_is_refused() {
        let refusal = |id: &str| check_company_id(id).unwrap_err().to_string();
        for blank in ["", " ", "\t\n"] {
            assert_eq!(
                refusal(blank),
                "The company id is empty; leave it out to ask for the caller's own company."
            );
        }
        for bad in ["abc", " 9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c", "a&b=c"] {
            assert_eq!(
                refusal(bad),
                "The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes."
            );
        }
    }
}

//! The app's own part on the API in memory: `cargo test`.

use bookmore_sdk::testing::{Failure, FakeBookMore, UsageMembers};
use dioxus_usage_meter::{sentence, usage};

#[test]
fn tells_the_usage_and_what_went_wrong() {
    let fake = FakeBookMore::new();
    let client = fake.client();
    let ask = |token: &str| fake.run(usage(&client, token.to_owned()));

    fake.set(None, UsageMembers::new().share(0.83));
    assert_eq!(
        sentence(&ask("t0ken").unwrap()),
        "83000 of 100000 tokens used in 30 days"
    );
    let sent = fake.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer [secret]"));

    fake.set(None, Failure::status(403));
    assert_eq!(ask("t0ken").unwrap_err().code(), "permission_denied");
    assert_eq!(ask("").unwrap_err().code(), "config_error");
}

//! The README's example test, verbatim.

use bookmore_sdk::{Client, GetAiChatUsage, Transport};

async fn budget_line<T: Transport>(client: &Client<T>) -> String {
    match client.get_ai_chat_usage(&GetAiChatUsage::default()).await {
        Ok(usage) if usage.is_within_budget => format!("{} tokens left", usage.tokens_remaining),
        Ok(_) => "over budget".to_owned(),
        Err(error) if error.status() == Some(403) => "no access".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_readme_has_the_test_below() {
    let (_, below) = include_str!("readme.rs")
        .split_once("// The snippet:\n")
        .unwrap();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(below), "the README's snippet differs");
}

// The snippet:
use std::time::Duration;

use bookmore_sdk::testing::{Failure, FakeBookMore, UsageMembers};

#[test]
fn the_line_shows_what_is_left_or_what_went_wrong() {
    let fake = FakeBookMore::new();
    let client = fake.client();
    let line = || fake.run(budget_line(&client)); // yours: takes a client, returns a line of text

    fake.set(None, UsageMembers::new().share(0.83)); // None: the logged-in user's company
    assert_eq!(line(), "17000 tokens left");
    fake.record(None, 20_000);
    assert_eq!(line(), "over budget");
    fake.advance(Duration::from_secs(30 * 24 * 60 * 60)); // out of the window
    assert_eq!(line(), "100000 tokens left");

    fake.set(None, Failure::status(403));
    assert_eq!(line(), "no access");
    assert_eq!(fake.requests().len(), 4);
}

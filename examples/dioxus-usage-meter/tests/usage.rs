//! The app without its framework, with the fake API: `cargo test`.

use bookmore_sdk::{
    GetAiChatUsage,
    client::WatchOptions,
    testing::{Answer, Failure, FakeBookMore, UsageMembers},
};
use dioxus_usage_meter::{follow, sentence};

#[test]
fn shows_the_usage_and_what_went_wrong() {
    let fake = FakeBookMore::new();
    let usage = UsageMembers::new().share(0.83).into();
    let answers: Vec<Answer> = vec![usage, Failure::status(403).into()];
    fake.set(None, answers);
    let client = fake.client();
    let watch = client.watch(&GetAiChatUsage::default(), WatchOptions::new());
    let handle = watch.handle();

    let mut shown = Vec::new();
    fake.run(follow(watch, |state| {
        if state.error.is_some() {
            handle.stop();
        }
        let usage = state.usage.as_ref().map(sentence);
        shown.push((usage, state.error.map(|error| error.code())));
    }));
    let usage = Some("83000 of 100000 tokens used in 30 days".to_owned());
    assert_eq!(
        shown,
        [
            (None, None),
            (usage.clone(), None),
            (usage, Some("permission_denied"))
        ]
    );
    let sent = fake.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer [secret]"));
}

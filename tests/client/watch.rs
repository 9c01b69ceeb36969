//! The stream of a watched usage, on a virtual clock.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bookmore_sdk::{
    Client, GetAiChatUsage,
    client::{Level, Status, TokenSource, UsageState, Watch, WatchOptions},
    testing::{Answer, Failure, FakeBookMore, UsageMembers},
};
use futures_util::{Stream, StreamExt, future::select};

use super::{COMPANY, seconds};

fn fake(answers: impl IntoIterator<Item = Answer>) -> FakeBookMore {
    let fake = FakeBookMore::new();
    fake.clock().set_random(0.5);
    fake.set(Some(COMPANY), answers.into_iter().collect::<Vec<_>>());
    fake
}

fn share(share: f64) -> Answer {
    UsageMembers::new().share(share).into()
}

fn options() -> WatchOptions {
    WatchOptions::new()
        .interval(seconds(60))
        .idle_interval(seconds(60))
}

fn watch(client: &Client<FakeBookMore>, options: WatchOptions) -> Watch<FakeBookMore> {
    client.watch(&GetAiChatUsage::for_company(COMPANY), options)
}

/// The states within the next `time`.
fn states(
    fake: &FakeBookMore,
    watch: &mut (impl Stream<Item = UsageState> + Unpin),
    time: Duration,
) -> Vec<UsageState> {
    let mut states = Vec::new();
    let clock = fake.clock().clone();
    fake.run(async {
        use bookmore_sdk::Transport;
        let over = pin!(clock.sleep(time.as_secs_f64() * 1e3));
        let all = pin!(async {
            while let Some(state) = watch.next().await {
                states.push(state);
            }
        });
        select(all, over).await;
    });
    states
}

fn sent(fake: &FakeBookMore) -> usize {
    fake.requests().len()
}

#[test]
fn it_sends_nothing_until_polled_and_yields_at_once_and_after_each_request() {
    let fake = fake([share(0.5)]);
    let mut watch = watch(&fake.client(), options());
    fake.advance(seconds(600));
    assert_eq!(sent(&fake), 0);
    let states = states(&fake, &mut watch, seconds(121));
    let statuses: Vec<_> = states.iter().map(|state| state.status).collect();
    assert_eq!(
        statuses,
        [Status::Pending, Status::Ok, Status::Ok, Status::Ok]
    );
    assert_eq!(sent(&fake), 3);
    let last = states.last().unwrap();
    assert_eq!(last.share, Some(0.5));
    assert_eq!(last.level, Some(Level::Ok));
    assert_eq!(last.usage.as_ref().unwrap().tokens_used, 50_000);
}

#[test]
fn only_the_highest_threshold_is_reached_and_only_once() {
    let fake = fake([
        share(0.79),
        share(0.96),
        share(0.97),
        share(0.70),
        share(0.85),
    ]);
    let mut watch = watch(&fake.client(), options());
    let states = states(&fake, &mut watch, seconds(241));
    let reached: Vec<_> = states.iter().filter_map(|state| state.reached).collect();
    assert_eq!(reached, [0.95, 0.8]);
}

#[test]
fn errors_double_the_interval_without_retries_and_it_recovers() {
    let fake = fake([share(0.5), Failure::status(503).times(2).into(), share(0.6)]);
    let mut watch = watch(&fake.client(), options());
    let states = states(&fake, &mut watch, seconds(60 + 120 + 240 + 1));
    let errors: Vec<_> = states.iter().map(|state| state.error.is_some()).collect();
    assert_eq!(errors, [false, false, true, true, false]);
    assert_eq!(states[3].share, Some(0.5), "the usage stays");
    assert_eq!(sent(&fake), 4);
}

#[test]
fn a_refusal_stops_it_until_a_refresh() {
    let fake = fake([Failure::status(403).times(1).into(), share(0.5)]);
    let mut watch = watch(&fake.client(), options());
    let handle = watch.handle();
    let refused = states(&fake, &mut watch, seconds(3_600));
    assert_eq!(refused.last().unwrap().status, Status::Stopped);
    assert_eq!((refused.len(), sent(&fake)), (2, 1));
    handle.refresh();
    let after = states(&fake, &mut watch, seconds(61));
    assert_eq!((after.len(), sent(&fake)), (2, 3));
    assert!(after.iter().all(|state| state.status == Status::Ok));
}

#[test]
fn a_new_token_restarts_a_stopped_watch_and_clears_the_old_identity() {
    for (is_same, statuses) in [
        (true, vec![Status::Error, Status::Stopped, Status::Ok]),
        (
            false,
            vec![Status::Error, Status::Stopped, Status::Pending, Status::Ok],
        ),
    ] {
        let fake = fake([
            share(0.9),
            Failure::status(503).times(1).into(),
            Failure::status(401).times(1).into(),
            share(0.4),
        ]);
        let client = fake.client();
        let mut watch = watch(&client, options());
        assert_eq!(states(&fake, &mut watch, seconds(1)).len(), 2);
        let mut seen = states(&fake, &mut watch, seconds(3_600));
        let token = TokenSource::from("renewed");
        client
            .set_bearer_token(if is_same {
                token.same_identity()
            } else {
                token
            })
            .unwrap();
        seen.extend(states(&fake, &mut watch, seconds(1)));
        let told: Vec<_> = seen.iter().map(|state| state.status).collect();
        assert_eq!(told, statuses);
        assert_eq!(sent(&fake), 4);
        if !is_same {
            assert!(seen[2].usage.is_none() && seen[2].error.is_none() && seen[2].level.is_none());
            assert_eq!(seen[3].reached, None, "below all thresholds");
        }
    }
}

#[test]
fn a_reply_in_flight_for_the_old_identity_does_not_count() {
    let slow = Failure::slow(seconds(3), Duration::ZERO).times(1);
    let fake = fake([slow.into(), share(0.7)]);
    let client = fake.client();
    let mut watch = watch(&client, options());
    states(&fake, &mut watch, seconds(1));
    client.set_bearer_token("another").unwrap();
    let seen = states(&fake, &mut watch, seconds(10));
    let shares: Vec<_> = seen.iter().map(|state| state.share).collect();
    assert_eq!((shares, sent(&fake)), (vec![Some(0.7)], 2));
}

#[test]
fn a_token_of_the_same_identity_changes_nothing_else() {
    let fake = fake([share(0.5)]);
    let client = fake.client();
    let mut watches = [watch(&client, options()), watch(&client, options())];
    drop(watch(&client, options()));
    for watch in &mut watches {
        states(&fake, watch, seconds(1));
    }
    let renewed = TokenSource::from("renewed").same_identity();
    client.set_bearer_token(renewed).unwrap();
    for watch in &mut watches {
        assert_eq!(states(&fake, watch, seconds(1)).len(), 0);
    }
    assert_eq!(sent(&fake), 2);
}

#[test]
fn a_new_token_does_not_help_with_invalid_options() {
    let fake = fake([share(0.5)]);
    let client = fake.client();
    let mut watch = watch(&client, options().interval(seconds(1)));
    assert_eq!(states(&fake, &mut watch, seconds(1)).len(), 1);
    client.set_bearer_token("another").unwrap();
    assert_eq!(states(&fake, &mut watch, seconds(600)).len(), 0);
}

#[test]
fn invalid_arguments_stop_it() {
    let fake = fake([share(0.5)]);
    let client = fake.client();
    let no_guid = GetAiChatUsage::for_company("x");
    for mut watch in [
        client.watch(&no_guid, options()),
        watch(&client, options().interval(seconds(1))),
        watch(&client, options().idle_interval(seconds(6))),
        watch(&client, options().thresholds([-0.8])),
    ] {
        watch.handle().refresh();
        let last = states(&fake, &mut watch, seconds(600)).pop().unwrap();
        assert_eq!(last.status, Status::Stopped);
        assert_eq!(last.error.unwrap().code(), "config_error");
    }
    assert_eq!(sent(&fake), 0);
}

#[test]
fn dropping_it_cancels_its_request() {
    let fake = fake([Failure::hang().into()]);
    let mut watch = watch(&fake.client(), options());
    states(&fake, &mut watch, seconds(1));
    drop(watch);
    let cancelled = fake.clock().requests();
    assert_eq!(sent(&fake), 1);
    assert!(cancelled.iter().all(|sent| sent.cancelled_at.is_some()));
    fake.advance(seconds(600));
    assert_eq!(sent(&fake), 1);
}

#[test]
fn its_handle_ends_a_loop_that_cannot_be_cancelled() {
    let fake = fake([share(0.5)]);
    let watch = watch(&fake.client(), options());
    let handle = watch.handle();
    let mut count = pin!(watch.count());
    let mut poll = || fake.run(poll_fn(|context| Poll::Ready(count.as_mut().poll(context))));
    assert!(poll().is_pending());
    handle.stop();
    assert!(poll().is_ready());
}

#[test]
fn while_it_is_paused_nothing_is_sent() {
    let fake = fake([share(0.5)]);
    let mut watch = watch(&fake.client(), options());
    let handle = watch.handle();
    states(&fake, &mut watch, seconds(1));
    handle.pause(true);
    states(&fake, &mut watch, seconds(600));
    assert_eq!(sent(&fake), 1);
    handle.pause(false);
    states(&fake, &mut watch, seconds(1));
    assert_eq!(sent(&fake), 2);
}

#[test]
fn exhausts_at_needs_seven_days_of_history() {
    const DAY: f64 = 86_400_000.0;
    for (days, has_date) in [(8.0, true), (6.0, false)] {
        let fake = fake([share(0.5)]);
        let now = {
            use bookmore_sdk::Transport;
            fake.clock().unix_now()
        };
        let options = options().history([(now - days * DAY, 10_000)]);
        let mut watch = watch(&fake.client(), options);
        let state = states(&fake, &mut watch, seconds(1)).pop().unwrap();
        assert_eq!(state.trend.unwrap().exhausts_at.is_some(), has_date);
    }
}

#[test]
fn an_interval_beyond_a_timers_maximum_is_refused() {
    let month = seconds(30 * 24 * 3_600);
    for options in [
        WatchOptions::new().interval(month),
        WatchOptions::new().idle_interval(month),
        WatchOptions::new().interval(Duration::MAX),
    ] {
        let fake = fake([share(0.5)]);
        let mut watch = watch(&fake.client(), options);
        let states = states(&fake, &mut watch, seconds(1));
        assert_eq!((states.len(), sent(&fake)), (1, 0));
        assert_eq!(states[0].status, Status::Stopped);
        assert_eq!(
            states[0].error.as_ref().unwrap().to_string(),
            "The intervals of a watch must be at most 2147483647 milliseconds."
        );
    }
}

#[test]
fn states_go_anywhere() {
    fn goes_anywhere<T: Clone + Send + Sync + 'static>() {}
    goes_anywhere::<UsageState>();
    goes_anywhere::<WatchOptions>();
    fn sends<T: Send + Unpin>() {}
    sends::<Watch<FakeBookMore>>();
    fn is_a_stream<T: Stream>(_: Pin<&mut T>) {}
    let fake = fake([share(0.5)]);
    is_a_stream(pin!(watch(&fake.client(), options())));
}

//! The companies of the fake: what each has used and when, and the outcomes
//! set for its requests.

use std::collections::{BTreeMap, VecDeque};

use super::{
    answers::{Answer, Answers, Failure},
    usage::{Amounts, UsageMembers},
};
use crate::{dto::ResponseStatus, wire::guid};

/// In milliseconds.
const DAY: f64 = 86_400_000.0;

/// Parses a Guid as leniently as the server: with or without dashes, in
/// braces, parentheses or quotes, and with spaces around it.
pub(super) fn guid_number(text: &str) -> Option<u128> {
    let space = |letter: char| letter.is_whitespace() || letter == '"';
    let bare = text.trim_start_matches(|letter| space(letter) || matches!(letter, '{' | '('));
    guid::number(bare.trim_end_matches(|letter| space(letter) || matches!(letter, '}' | ')')))
}

pub(super) fn dashed(number: u128) -> String {
    let mut text = format!("{number:032x}");
    for place in [20, 16, 12, 8] {
        text.insert(place, '-');
    }
    text
}

/// Parses a company id that a test gave.
#[track_caller]
pub(super) fn number_of(company_id: &str) -> u128 {
    let Some(number) = guid_number(company_id) else {
        panic!(
            "A company id must be a Guid, such as 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c, not {company_id:?}."
        )
    };
    number
}

struct Step {
    answer: Answer,
    /// How many requests still get it.
    left: usize,
}

/// A company. Times are in milliseconds since 1970.
pub(super) struct Company {
    token_limit: i32,
    window_days: i32,
    /// When tokens were used, and how many.
    spent: Vec<(f64, i64)>,
    steps: VecDeque<Step>,
    pub response_status: Option<ResponseStatus>,
}

impl Default for Company {
    fn default() -> Self {
        Self {
            token_limit: Amounts::UNUSED.token_limit,
            window_days: Amounts::UNUSED.window_days,
            spent: Vec::new(),
            steps: VecDeque::new(),
            response_status: None,
        }
    }
}

impl Company {
    /// The usage within the window that ends now.
    pub fn amounts(&self, now: f64) -> Amounts {
        let begin = now - f64::from(self.window_days) * DAY;
        let within = self.spent.iter().filter(|(at, _)| *at > begin);
        Amounts {
            tokens_used: within.fold(0, |sum, (_, tokens)| sum.saturating_add(*tokens)),
            token_limit: self.token_limit,
            window_days: self.window_days,
        }
    }

    pub fn record(&mut self, tokens: i64, now: f64) {
        self.spent.push((now, tokens));
    }

    /// The failure that the next request gets, if one is set.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.steps.front()?.answer {
            Answer::Failure(failure) => Some(failure),
            Answer::Usage(_) => None,
        }
    }

    /// Moves on after a request was answered.
    pub fn answered(&mut self, now: f64) {
        let Some(step) = self.steps.front_mut() else {
            return;
        };
        step.left = step.left.saturating_sub(1);
        if step.left == 0 {
            self.steps.pop_front();
            self.enter(now);
        }
    }

    /// Sets the answers from now on; the last one stays.
    #[track_caller]
    fn answer(&mut self, answers: Vec<Answer>, now: f64) {
        let last = answers.len() - 1;
        let step = |(place, answer): (usize, Answer)| {
            let usual = if place == last { usize::MAX } else { 1 };
            let left = match &answer {
                Answer::Failure(failure) => failure.times.unwrap_or(usual),
                Answer::Usage(_) => usual,
            };
            Step { answer, left }
        };
        self.steps = answers.into_iter().enumerate().map(step).collect();
        self.enter(now);
    }

    fn enter(&mut self, now: f64) {
        let members = match self.steps.front() {
            Some(Step {
                answer: Answer::Usage(members),
                ..
            }) => members.clone(),
            _ => return,
        };
        let amounts = members.completed(self.amounts(now));
        self.token_limit = amounts.token_limit;
        self.window_days = amounts.window_days;
        if members.tells_used() {
            self.spent = vec![(now, amounts.tokens_used)];
        }
        self.response_status = members.response_status;
    }
}

/// All companies that were requested or set.
pub(super) struct Companies {
    /// The logged-in user's company.
    pub own: u128,
    known: BTreeMap<u128, Company>,
}

impl Companies {
    pub fn new(own: u128) -> Self {
        Self {
            own,
            known: BTreeMap::new(),
        }
    }

    /// A company; one that was never set has used nothing. The empty Guid stands
    /// for the logged-in user's company.
    pub fn of(&mut self, number: u128) -> &mut Company {
        let number = if number == 0 { self.own } else { number };
        self.known.entry(number).or_default()
    }

    /// The given company, or the logged-in user's.
    #[track_caller]
    fn number(&self, company_id: Option<&str>) -> u128 {
        match company_id {
            None => self.own,
            Some(company_id) => number_of(company_id),
        }
    }

    #[track_caller]
    pub fn set(&mut self, company_id: Option<&str>, Answers(answers): Answers, now: f64) {
        let number = self.number(company_id);
        assert!(!answers.is_empty(), "A list of answers needs one at least.");
        let company = self.of(number);
        for answer in &answers {
            match answer {
                // A contradiction fails here, where the test sets it, not in a later request.
                Answer::Usage(members) => {
                    check_owner(members, number);
                    members.completed(company.amounts(now));
                }
                Answer::Failure(failure) => {
                    let times = failure.times.unwrap_or(1);
                    assert!(times > 0, "times must be at least 1, not {times}.");
                }
            }
        }
        company.answer(answers, now);
    }

    #[track_caller]
    pub fn record(&mut self, company_id: Option<&str>, tokens: i64, now: f64) {
        assert!(tokens >= 0, "tokens must be at least 0, not {tokens}.");
        let number = self.number(company_id);
        self.of(number).record(tokens, now);
    }

    pub fn reset(&mut self) {
        self.known.clear();
    }
}

#[track_caller]
fn check_owner(members: &UsageMembers, number: u128) {
    let Some(owner) = &members.company_id else {
        return;
    };
    let owner = number_of(owner);
    assert!(
        owner == number,
        "The usage is of company {}, and is set for {}. For a server that mixes them up: Failure::other_company.",
        dashed(owner),
        dashed(number)
    );
}

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// A map of strings, in the server's order.
///
/// It is a list of pairs: for a handful of entries, a tree or hash map would
/// add a tenth to the size of the npm package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StringMap(pub Vec<(String, String)>);

impl StringMap {
    /// The value of `key`; the last one, if it occurs more than once.
    ///
    /// ```
    /// # use bookmore_sdk::StringMap;
    /// let meta = StringMap(vec![("Region".to_owned(), "eu-north".to_owned())]);
    /// assert_eq!(meta.get("Region"), Some("eu-north"));
    /// ```
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(own, _)| own == key);
        found.map(|(_, value)| value.as_str())
    }
}

impl Serialize for StringMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for StringMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = StringMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StringMap, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(StringMap(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

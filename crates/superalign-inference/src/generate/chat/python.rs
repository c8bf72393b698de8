//! What chat templates expect of Python: its JSON, its dates, its way to write values, and a few functions.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// A date and time of day, in whatever zone the caller means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Year, from 1.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
}

/// Begins the message of an exception that a template raises.
const RAISED: &str = "raised by the template: ";

/// Adds functions and filters that transformers gives to templates.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, format!("{RAISED}{message}")))
    });
    environment.add_filter("tojson", to_json);
    environment.set_formatter(|out, _, value| {
        let written = match (value.kind(), value.is_true()) {
            (ValueKind::Bool, true) => out.write_str("True"),
            (ValueKind::Bool, false) => out.write_str("False"),
            (ValueKind::None, _) => out.write_str("None"),
            _ => write!(out, "{value}"),
        };
        written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the text cannot be written"))
    });
}

/// The message of an exception that a template raised.
pub(super) fn raised(error: &minijinja::Error) -> Option<String> {
    error.detail()?.strip_prefix(RAISED).map(str::to_owned)
}

/// The source with `{% generation %}` blocks, which only mark where training looks, turned into blocks that always
/// run; so the blanks around them are treated as they are in transformers.
pub(super) fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        let word = tag.trim_start_matches(['{', '%', '-', '+']).trim_end_matches(['%', '}', '-', '+']).trim();
        match word {
            "generation" => out.push_str(&tag.replacen("generation", "if true", 1)),
            "endgeneration" => out.push_str(&tag.replacen("endgeneration", "endif", 1)),
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `strftime_now(format)`.
pub(super) fn strftime_now(now: Option<Now>) -> Value {
    Value::from_function(move |format: String| -> Result<String, Error> {
        let failed = |reason: String| Error::new(ErrorKind::InvalidOperation, reason);
        let now =
            now.ok_or_else(|| failed("strftime_now is asked for the time and none was given".into()))?;
        now.format(&format).map_err(failed)
    })
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Now {
    /// The date by Python's codes, those of the C locale.
    fn format(self, format: &str) -> Result<String, String> {
        let Self { year, month, day, hour, minute, second } = self;
        let name = MONTHS.get(usize::from(month).wrapping_sub(1));
        let name = name.ok_or_else(|| format!("month {month}, expected 1 to 12"))?;
        let weekday = DAYS[self.weekday()];
        let hour12 = (hour + 11) % 12 + 1;
        let mut out = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            let mut code = letters.next();
            let bare = code == Some('-');
            if bare {
                code = letters.next();
            }
            let number = |value: u16, width: usize| {
                if bare { value.to_string() } else { format!("{value:0width$}") }
            };
            let piece = match code {
                Some('Y') => number(year, 4),
                Some('y') => number(year % 100, 2),
                Some('m') => number(month.into(), 2),
                Some('d') => number(day.into(), 2),
                Some('e') if bare => day.to_string(),
                Some('e') => format!("{day:2}"),
                Some('H') => number(hour.into(), 2),
                Some('I') => number(hour12.into(), 2),
                Some('M') => number(minute.into(), 2),
                Some('S') => number(second.into(), 2),
                Some('j') => number(self.day_of_year(), 3),
                Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
                Some('B') => (*name).to_owned(),
                Some('b' | 'h') => name[..3].to_owned(),
                Some('A') => weekday.to_owned(),
                Some('a') => weekday[..3].to_owned(),
                Some('F') => format!("{year:04}-{month:02}-{day:02}"),
                Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
                Some('%') => "%".to_owned(),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!(
                        "strftime_now knows no %{other}; expected one of aAbBdeFHhIjmMpSTyY%"
                    ));
                }
            };
            out.push_str(&piece);
        }
        Ok(out)
    }

    /// Days of the year before and with this one.
    fn day_of_year(self) -> u16 {
        const BEFORE: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let before = BEFORE.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or(0);
        before + u16::from(self.day) + u16::from(leap && self.month > 2)
    }

    /// Days since Monday, in the Gregorian calendar.
    fn weekday(self) -> usize {
        let past = usize::from(self.year.saturating_sub(1));
        (past * 365 + past / 4 - past / 100 + past / 400 + usize::from(self.day_of_year()) + 6) % 7
    }
}

/// `json.dumps(value, ensure_ascii=False)`: a blank after each comma and colon; `indent` as Python's.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
fn to_json(value: Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::InvalidOperation, format!("it cannot be written as JSON: {error}"))
    };
    let mut out = Vec::new();
    let written = match indent {
        Some(width) => {
            let blanks = " ".repeat(width);
            let formatter = PrettyFormatter::with_indent(blanks.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))
        }
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Spaced)),
    };
    written.map_err(|error| failed(&error))?;
    let text = String::from_utf8(out).map_err(|error| failed(&error))?;
    Ok(if ascii == Some(true) { escaped(&text) } else { text }.into())
}

/// Letters beyond ASCII as `\uXXXX`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Blanks after commas and colons.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        CompactFormatter.begin_object_value(out)?;
        out.write_all(b" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_python_writes_them() {
        let now = Now { year: 2024, month: 7, day: 5, hour: 0, minute: 9, second: 7 };
        let all = now.format("%Y %y %m %d %-d %e %H %I %M %S %j %p %B %b %A %a %F %T %%");
        assert_eq!(
            all.as_deref(),
            Ok("2024 24 07 05 5  5 00 12 09 07 187 AM July Jul Friday Fri 2024-07-05 00:09:07 %")
        );
        let days = [(1900, 1, 1, "Mon"), (2000, 2, 29, "Tue"), (2100, 3, 1, "Mon"), (2026, 11, 28, "Sat")];
        for (year, month, day, name) in days {
            let date = Now { year, month, day, ..now };
            assert_eq!(date.format("%a").as_deref(), Ok(name), "{year}-{month}-{day}");
        }
        assert_eq!(
            now.format("%Q").expect_err("unknown"),
            "strftime_now knows no %Q; expected one of aAbBdeFHhIjmMpSTyY%"
        );
        assert!(Now { month: 13, ..now }.format("%Y").is_err());
    }

    #[test]
    fn generation_tags_become_blocks_that_run() {
        let source = "a {%- generation -%} b {% if generation %}{%endgeneration%} {% generation";
        let expected = "a {%- if true -%} b {% if generation %}{%endif%} {% if true";
        assert_eq!(without_generation_tags(source), expected);
    }
}

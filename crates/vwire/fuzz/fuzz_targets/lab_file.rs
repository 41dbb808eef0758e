//! Any bytes as a lab's file: reading must not panic, what is wrong must have a place, and what is right must be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vwire::lab::file::{RootAlone, draft, read_bytes};
use vwire::lab::graph::{dot, of_lab, svg, text};

fuzz_target!(|data: &[u8]| {
    match read_bytes(data, "fuzz.toml", &RootAlone) {
        Ok((lab, _)) => {
            assert!(lab.nodes.len() <= draft::MOST_NODES);
            let picture = of_lab::picture(&lab);
            let _ = (text::draw(&picture, 80, true), svg::draw(&picture), dot::dot(&picture), dot::mermaid(&picture));
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.len() <= 20);
            for problem in problems {
                assert!(problem.line > 0 && problem.column > 0);
                let _ = problem.render(true, 80);
            }
        }
    }
});

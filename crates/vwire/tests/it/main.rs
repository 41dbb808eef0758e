//! What vwire does to a kernel: one binary, a topic a file, a fresh network namespace for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may die")]

mod address;
mod batch;
mod compat;
mod docs;
mod failure;
mod json;
mod kinds;
mod lab;
mod lab_file;
mod lab_helper;
mod lab_up;
mod link_change;
mod maddress;
mod monitor;
mod neigh;
mod netfilter;
mod netns;
mod nexthop;
mod ntable;
mod ping;
mod programs;
mod recorded;
mod resolve;
mod route;
mod route_refused;
mod rule;
mod sandbox;
mod settings;
mod snapshot;
mod sources;
mod step;
mod tidy;
mod tidy_bites;
mod tour;
mod tuntap;

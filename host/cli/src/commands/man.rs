//! `stratalog man`: writes the manual pages.

use std::fs;

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::args::commands::Man;
use crate::process::exit::{Code, Failure};

pub(crate) fn run(command: &Man) -> Result<Code, Failure> {
    let folder = &command.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .map_err(|error| {
            let what = format!("cannot write the manual pages to {}", folder.display());
            Failure::system(&what, &error)
        })?;
    Ok(Code::Done)
}

//! `stratalog man`: writes the manual pages.

use std::fs;

use clap::CommandFactory as _;

use crate::args::Arguments;
use crate::args::man::Man;
use crate::process::exit::{Code, Failure};

pub(crate) fn run(command: &Man) -> Result<Code, Failure> {
    let folder = &command.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .map_err(|error| {
            let folder = folder.display();
            Failure::input(format!(
                "cannot write the manual pages to {folder}: {error}; name a folder in which this \
                 user may write"
            ))
        })?;
    Ok(Code::Done)
}

"""`sipsync fmt`: files in the one layout. Comments, blank lines and quotes stay."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import Limits, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.problems import Exit

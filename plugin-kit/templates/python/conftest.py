"""Provides the fixture `world`, and the modules that the plugin imports."""

pytest_plugins = ["stratalog_testing.fixtures"]

"""What tests import: the pytest plugin, MockServer, the verbs of a scope, and expectations."""

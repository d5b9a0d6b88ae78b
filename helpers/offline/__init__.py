"""The offline backend: the mocked SDK (sdk/) and the engine that it stands on (engine/)."""

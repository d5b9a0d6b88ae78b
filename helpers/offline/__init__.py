"""The offline backend: the mocked SDK (sdk_v1/) and the engine that it stands on (engine/)."""

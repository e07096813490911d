/// A path as a shell takes it for one word.
func shellQuoted(_ path: String) -> String { "'" + path.replacing("'", with: "'\\''") + "'" }

import Foundation

/// The path of a file that another one names as being in its folder.
///
/// - Throws: `FileFault` where the name leads elsewhere.
func besideFile(_ path: String, _ name: String) throws -> String {
    guard !name.isEmpty, !name.contains("/"), !name.contains("\0"), name != ".", name != ".." else {
        throw FileFault(path, "refers to the file \"\(name)\", which is not a name in its own folder")
    }
    return ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent(name)
}

/// Whether there is a file, and no folder or pipe, of that name.
func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

/// The path without symbolic links; nil, with the system's reason, where there is nothing.
func resolvedPath(_ path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
}

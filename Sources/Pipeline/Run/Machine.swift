import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What this machine has.
enum Machine {
    /// Processors that this process may use.
    static var processors: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

    /// Maker, family, model and name, for example `GenuineIntel 6 207 Intel(R) Xeon(R) Processor`.
    static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let fields = text.split(separator: "\n").prefix(30).map { $0.split(separator: ":", maxSplits: 1) }
        return ["vendor_id", "cpu family", "model", "model name"].compactMap { name in
            fields.first { $0.count == 2 && $0[0].trimmingCharacters(in: .whitespaces) == name }
                .map { $0[1].trimmingCharacters(in: .whitespaces) }
        }.joined(separator: " ")
    }

    /// Bytes that can be used without swapping: what the kernel calls available, or less within a container.
    static var availableMemory: Int {
        let available = field("MemAvailable:", of: "/proc/meminfo").map { $0 * 1024 } ?? 4 << 30
        return min(available, ControlGroup.freeMemory.min() ?? .max)
    }

    /// The largest resident size this process has had, in bytes.
    static var peakMemory: Int { field("VmHWM:", of: "/proc/self/status").map { $0 * 1024 } ?? 0 }

    /// Bytes free for us where `path` is or will be.
    static func freeDisk(at path: String) -> Int {
        var folder = path
        while folder != "/" && !FileManager.default.fileExists(atPath: folder) {
            folder = (folder as NSString).deletingLastPathComponent
        }
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return 0 }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// A line's number of a file such as `MemAvailable:  24000000 kB`.
    private static func field(_ name: String, of path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first.flatMap { Int($0) }
    }
}

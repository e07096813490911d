import Foundation

/// A control group of Linux that this process is in, as containers and batch systems limit memory by.
package struct ControlGroup: Equatable {
    /// Bytes that may still be taken; the page cache, which is given back, does not count.
    package let freeMemory: Int

    /// Those that have a limit: the process's own, and those that hold it.
    static var own: [ControlGroup] {
        let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return limited(groups, below: "/sys/fs/cgroup")
    }

    /// - Parameters:
    ///   - groups: lines such as `0::/slurm/job_7` (version 2) and `4:memory:/slurm/job_7` (version 1).
    ///   - root: where control groups lie as folders.
    package static func limited(_ groups: String, below root: String) -> [ControlGroup] {
        groups.split(separator: "\n").flatMap { line -> [ControlGroup] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[1].isEmpty {
                return chain(fields[2], below: root, limit: "memory.max", used: "memory.current", cache: "file")
            }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return chain(
                fields[2], below: root + "/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
                cache: "total_cache")
        }
    }

    /// A group and all that hold it. Within a container its own path may not be there, but the root stands for it.
    private static func chain(
        _ path: Substring, below root: String, limit: String, used: String, cache: String
    ) -> [ControlGroup] {
        var names = path.split(separator: "/")
        var found: [ControlGroup] = []
        while true {
            let folder = ([root] + names.map(String.init)).joined(separator: "/")
            // No limit is "max" in version 2, and a number near 2⁶³ in version 1.
            if let limit = number(folder + "/" + limit), limit < 1 << 60, let used = number(folder + "/" + used) {
                found.append(ControlGroup(freeMemory: max(0, limit - used + cached(folder, cache))))
            }
            if names.popLast() == nil { return found }
        }
    }

    private static func cached(_ folder: String, _ name: String) -> Int {
        let lines = (try? String(contentsOfFile: folder + "/memory.stat", encoding: .utf8)) ?? ""
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, fields[0] == name { return Int(fields[1]) ?? 0 }
        }
        return 0
    }

    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}

import Foundation

/// Control groups of Linux, by which containers and batch systems limit memory.
package enum ControlGroup {
    /// The bytes that this process may still take in each that has a limit: its own, and those that hold it.
    static var freeMemory: [Int] {
        let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return freeMemory(groups, below: "/sys/fs/cgroup")
    }

    /// Pages of files, which are given back, count as free.
    ///
    /// - Parameters:
    ///   - groups: lines such as `0::/slurm/job_7` (version 2) and `4:memory:/slurm/job_7` (version 1).
    ///   - root: where control groups lie as folders.
    package static func freeMemory(_ groups: String, below root: String) -> [Int] {
        groups.split(separator: "\n").flatMap { line -> [Int] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[1].isEmpty {
                return chain(fields[2], below: root, limit: "memory.max", used: "memory.current", pages: "")
            }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return chain(
                fields[2], below: root + "/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
                pages: "total_")
        }
    }

    /// A group and all that hold it. Within a container its own path may not be there, but the root stands for it.
    private static func chain(
        _ path: Substring, below root: String, limit: String, used: String, pages: String
    ) -> [Int] {
        var names = path.split(separator: "/")
        var found: [Int] = []
        while true {
            let folder = ([root] + names.map(String.init)).joined(separator: "/")
            // No limit is "max" in version 2, and a number near 2⁶³ in version 1.
            if let limit = number(folder + "/" + limit), limit < 1 << 60, let used = number(folder + "/" + used) {
                found.append(max(0, limit - used + filePages(folder, pages)))
            }
            if names.popLast() == nil { return found }
        }
    }

    /// Not what lies in memory alone, such as /dev/shm.
    private static func filePages(_ folder: String, _ prefix: String) -> Int {
        let lines = (try? String(contentsOfFile: folder + "/memory.stat", encoding: .utf8)) ?? ""
        return lines.split(separator: "\n").reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count == 2, [prefix + "active_file", prefix + "inactive_file"].contains(String(fields[0]))
            else { return sum }
            return sum + (Int(fields[1]) ?? 0)
        }
    }

    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}

import Pipeline
import TestSupport
import Testing

/// Memory limits of containers and batch systems, as files say them.
struct ControlGroupTests {
    private let root = ScratchFolder()

    @Test func limitsOfAllThatHoldTheProcessCount() throws {
        try root.write("slurm/memory.max", "8000\n")
        try root.write("slurm/memory.current", "5000\n")
        try root.write("slurm/memory.stat", "anon 3000\nfile 1900\nshmem 900\nactive_file 600\ninactive_file 400\n")
        try root.write("slurm/job_7/memory.max", "3000\n")
        try root.write("slurm/job_7/memory.current", "3500\n")
        try root.write("slurm/job_7/step/memory.max", "max\n")
        try root.write("slurm/job_7/step/memory.current", "1\n")
        #expect(free("0::/slurm/job_7/step\n") == [0, 4000])
        // A container's own path is not there; the root's limit is its own.
        try root.write("memory.max", "9000\n")
        try root.write("memory.current", "1000\n")
        #expect(free("0::/elsewhere\n") == [8000])
    }

    @Test func theFirstVersionHasAFolderForMemory() throws {
        try root.write("memory/job/memory.limit_in_bytes", "6000\n")
        try root.write("memory/job/memory.usage_in_bytes", "1000\n")
        try root.write(
            "memory/job/memory.stat",
            "active_file 9\ntotal_active_file 300\ntotal_inactive_file 200\ntotal_shmem 70\n")
        try root.write("memory/memory.limit_in_bytes", "9223372036854771712\n")
        try root.write("memory/memory.usage_in_bytes", "1\n")
        #expect(free("5:cpu,cpuacct:/job\n4:memory:/job\n") == [5500])
    }

    @Test(arguments: ["", "0::/\n", "nonsense\n", "1:name=systemd:/job\n"])
    func whatLimitsNothingOrIsUnknownIsLeftOut(groups: String) throws {
        for folder in ["", "memory/job/"] {
            try root.write(folder + "memory.max", groups == "0::/\n" ? "max\n" : "9\n")
            try root.write(folder + "memory.current", "1\n")
            try root.write(folder + "memory.limit_in_bytes", "9\n")
            try root.write(folder + "memory.usage_in_bytes", "1\n")
        }
        #expect(free(groups).isEmpty)
    }

    private func free(_ groups: String) -> [Int] {
        ControlGroup.freeMemory(groups, below: root.path)
    }
}

import Tensors

/// A step of a pipeline, to be done by another process in the work folder of the run that orders it and holds its lock.
public struct StepOrder: Codable {
    let pipeline: String
    let workFolder: String
    let device: Device
    let threads: Int
    let memory: Int
    let executable: String
    /// Of the step.
    let key: String

    func run(shouldStop: @escaping () -> Bool, report: @escaping (StepProgress) throws -> Void) throws {
        let run = try PipelineRun(
            pipeline,
            options: RunOptions(
                workFolder: workFolder, device: Device.Choice(device), threads: threads, memory: memory,
                executable: executable))
        let lock = try WorkFolderLock(workFolder, ofStep: key)
        defer { lock.release() }
        try run.perform(stepOfKey: key, shouldStop: shouldStop) { try? report($0) }
    }
}

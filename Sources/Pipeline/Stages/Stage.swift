/// The stages, in the order in which the data passes through them.
public enum Stage: String, Codable, CaseIterable, Comparable, Sendable {
    case ingest, resample, train, predict, calibrate, consensus, regrow, label, export, evaluate, report

    public static func < (left: Stage, right: Stage) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

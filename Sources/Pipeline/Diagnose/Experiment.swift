/// What `segment diagnose` can do, by the name it has on the command line.
public enum Experiment: String, CaseIterable, Sendable {
    case signal, gradients, paths
    case batchNorm = "batch_norm"
    case degradation

    /// The ones of a diagnosis that asks for none in particular; a first look at `batchNorm` goes with them.
    public static let quick: [Experiment] = [.signal, .gradients, .paths]

    /// - Parameter list: names, separated by commas.
    /// - Throws: ``UnknownExperiment``.
    public static func list(_ list: String) throws -> [Experiment] {
        let names = list.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let experiments = try names.map { name in
            guard let experiment = Experiment(rawValue: name) else { throw UnknownExperiment(name: name) }
            return experiment
        }
        // Each once, the quick ones first.
        return allCases.filter(experiments.contains)
    }
}

/// A name that no experiment has.
public struct UnknownExperiment: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String {
        "--experiments: unknown experiment '\(name)'; there are "
            + Experiment.allCases.map(\.rawValue).joined(separator: ", ")
            + (nearest(to: name, among: Experiment.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" } ?? "")
    }
}

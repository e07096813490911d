import Foundation
import Networks
import Tensors
import Volumes

/// A trained network in one safetensors file: its parameters and statistics, and under the metadata key `network`
/// its configuration as JSON, so that the file alone is enough to predict.
public enum NetworkFile {
    /// Writes the file whole or not at all.
    ///
    /// - Parameters:
    ///   - network: one that was made from a configuration.
    ///   - metadata: more to keep beside the configuration.
    /// - Throws: `SafetensorsError` where it cannot be written.
    public static func write(_ network: Network, to path: String, metadata: [String: String] = [:]) throws {
        var metadata = metadata
        metadata["network"] = try network.configuration.map(canonicalJSONText)
        try Safetensors(network.stateDictionary(), metadata: metadata).write(to: path)
    }

    /// Reads a network, in evaluation mode.
    ///
    /// - Throws: `SafetensorsError` where the file cannot be read; `NetworkFileError` where it is of another kind.
    public static func read(_ path: String, device: Device) throws -> Network {
        let file = try Safetensors(contentsOf: path)
        guard let json = file.metadata["network"] else {
            throw NetworkFileError(
                path: path, problem: "has no metadata 'network'; expected a network written by segment")
        }
        do {
            let configuration = try JSONDecoder().decode(NetworkConfiguration.self, from: Data(json.utf8))
            let network = try Network(toLoad: configuration, device: device)
            try network.load(file.tensors)
            network.mode = .evaluation
            return network
        } catch let error as DecodingError {
            throw NetworkFileError(path: path, problem: "its metadata 'network' cannot be read: \(error.reason)")
        } catch {
            throw NetworkFileError(path: path, problem: "does not hold the network it describes: \(error)")
        }
    }
}

extension DecodingError {
    /// What is wrong with the JSON, in a few words.
    package var reason: String {
        switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription
        @unknown default: "\(self)"
        }
    }
}

/// A file that is no network, or a damaged one.
public struct NetworkFileError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let problem: String

    public var description: String { "\(path): \(problem)" }
}

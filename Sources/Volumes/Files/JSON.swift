import Foundation

/// JSON whose bytes depend on the value alone: sorted keys, no white space.
package func canonicalJSON(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
}

/// The same as text.
package func canonicalJSONText(_ value: some Encodable) throws -> String {
    String(decoding: try canonicalJSON(value), as: UTF8.self)
}

/// JSON for people: sorted keys, one value a line.
package func readableJSON(
    _ value: some Encodable, keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys
) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = keys
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return try encoder.encode(value)
}

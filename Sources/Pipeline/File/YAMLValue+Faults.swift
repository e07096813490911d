import Yams

/// Reading on after a fault, so that all of them are told at once.
extension YAMLValue {
    /// This value without a key within its mappings, by its dotted name; nil where there is none of that name.
    func without(_ key: String) -> YAMLValue? {
        guard case .mapping(var mapping) = node else { return nil }
        for (own, node) in mapping {
            guard let text = own.string else { continue }
            let inner = YAMLValue(node: node, name: below(text), file: file, line: own.mark?.line ?? line)
            if inner.name == key {
                mapping[own] = nil
            } else if key.hasPrefix(inner.name + "."), let rest = inner.without(key) {
                mapping[own] = rest.node
            } else {
                continue
            }
            return YAMLValue(node: .mapping(mapping), name: name, file: file, line: line)
        }
        return nil
    }

    /// After so many people will look at what they wrote.
    private static let mostFaults = 100

    /// What `body` reads of this value, and all that is wrong with it: where a key is at fault, the rest is read without it.
    ///
    /// - Parameter faults: gets what is wrong.
    /// - Returns: nil where the fault is no single key's.
    func read<Value>(faults: inout [PipelineFault], _ body: (YAMLValue) throws -> Value) throws -> Value? {
        var value = self
        var removed: [String] = []
        while true {
            do {
                return try body(value)
            } catch let fault as PipelineFault {
                // That a mapping lacks a key which was at fault is no fault of its own.
                let isConsequence = removed.contains { $0.hasPrefix((fault.key ?? "") + ".") }
                if !isConsequence { faults.append(fault) }
                guard !isConsequence, removed.count < Self.mostFaults, let whole = fault.key,
                    whole.hasPrefix(name)
                else { return nil }
                // Of a list all is left out.
                let key = name + whole.dropFirst(name.count).prefix { $0 != "[" }
                guard let rest = value.without(key) else { return nil }
                value = rest
                removed.append(key)
            }
        }
    }

    /// The entries that `body` makes of this value, with all that is wrong with it and with what it names.
    func readEntries<Entry>(
        _ faults: inout [PipelineFault], _ body: (YAMLValue, inout [PipelineFault]) throws -> [Entry]
    ) throws -> [Entry] {
        var (own, named): ([PipelineFault], [PipelineFault]) = ([], [])
        defer { faults += own + named }
        return try read(faults: &own) { value in
            var found: [PipelineFault] = []
            // What was found before a key was left out is found again.
            defer { named += found.filter { !named.contains($0) } }
            return try body(value, &found)
        } ?? []
    }
}

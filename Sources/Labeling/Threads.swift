import Dispatch

/// Calls `body` with 0 ..< `parts`, each on a thread of its own.
func inParallel(_ parts: Int, _ body: (Int) -> Void) {
    if parts <= 1 {
        if parts == 1 { body(0) }
        return
    }
    withoutActuallyEscaping(body) { body in
        // Callers write to memory of their own part alone.
        nonisolated(unsafe) let body = body
        DispatchQueue.concurrentPerform(iterations: parts) { body($0) }
    }
}

/// `range` cut into at most `parts` ranges of nearly equal length, none empty.
func evenRanges(of range: Range<Int>, parts: Int) -> [Range<Int>] {
    let parts = max(1, min(parts, range.count))
    return (0..<parts).map { part in
        range.lowerBound + range.count * part / parts..<range.lowerBound + range.count * (part + 1) / parts
    }
}

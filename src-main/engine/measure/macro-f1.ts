// Macro-F1 from a confusion matrix.

/**
 * The mean over classes of F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall. Classes that occur
 * neither in the labels nor in the answers are left out, as scikit-learn's f1_score(average='macro') does.
 * @param confusion [actual][predicted] in samples
 */
export function macroF1(confusion: readonly (readonly number[])[]): number {
  let [sum, classes] = [0, 0];
  confusion.forEach((row, label) => {
    const actual = row.reduce((total, count) => total + count, 0);
    const answered = confusion.reduce((total, other) => total + other[label]!, 0);
    if (actual + answered === 0) return;
    sum += (2 * row[label]!) / (actual + answered);
    classes += 1;
  });
  return classes === 0 ? 0 : sum / classes;
}

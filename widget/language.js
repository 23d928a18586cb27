/** Which language a placement speaks: arithmetic without a page. */

/** Return the campaign's or placement's own language, else the first wish it speaks. */
export function chooseLanguage(rule, wishes) {
  const spoken = wishes.map((wish) => wish?.slice(0, 2).toLowerCase()).find((wish) => rule.languages.includes(wish))
  return rule.language || spoken || rule.languages[0]
}
